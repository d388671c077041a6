namespace ViralEngine.Console.Tests;

/// <summary>Every view once. A new one is a line here.</summary>
public sealed class ViewTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task The_page_to_sign_in_at()
    {
        await using var window = await console.NewWindowAsync();

        await window.LooksRightAsync("/console/sign-in", "sign-in");
    }

    [Theory]
    [InlineData("/console", "home-empty")]
    [InlineData("/console/tasks", "tasks-empty")]
    [InlineData("/console/tasks/new", "task-new")]
    [InlineData("/console/approvals", "approvals-empty")]
    public async Task Views_of_an_organization_that_has_nothing_yet(string address, string name)
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.LooksRightAsync(address, name);
    }

    [Fact]
    public async Task Views_of_one_that_has_much_and_long_names()
    {
        using var tenant = await console.NewTenantAsync();
        var word = new string('w', 300);
        var task = await tenant.SubmitAsync(new
        {
            agent_id = "echo",
            description = $"Summarize the report of the third quarter {word}",
            tags = new[] { "report", word[..64] },
            input = new { quarter = 3 },
        });
        await tenant.WaitForAsync(task, "completed");
        for (var i = 0; i < 25; i++)
            await tenant.SubmitAsync(
                new { agent_id = "echo", description = $"Classify the ticket number {i}", tags = new[] { "tickets" } });
        using var operators = await tenant.NewClientAsync("operator");
        var workflow = await WorkflowWithGate.StartAsync(
            operators, "Publish the quarterly report?", $"It goes to all customers. {word}");
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.LooksRightAsync("/console", "home");
        await window.LooksRightAsync("/console/tasks", "tasks");
        await window.LooksRightAsync($"/console/tasks/{task}", "task");
        await window.LooksRightAsync("/console/approvals", "approvals");
        await window.LooksRightAsync($"/console/approvals/{workflow}/ask", "gate");
    }
}
