using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>An agent, tried from its page.</summary>
public sealed class AgentTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task Calls_an_agent_once_and_shows_what_it_said()
    {
        using var tenant = await console.NewTenantAsync();
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 10 });
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/agents/{agent}");

        await page.GetByLabel("Prompt").FillAsync("Say this back.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send one call" }).ClickAsync();

        await Expect(page.Locator("#test-answer")).ToHaveTextAsync("Say this back.");
        await Expect(page.Locator("#test [role=status]")).ToContainTextAsync("Answered in");
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Tells_why_a_call_failed()
    {
        using var tenant = await console.NewTenantAsync();
        var agent = await tenant.NewEchoAsync(new { fail_with = "unauthorized" });
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/agents/{agent}");

        await page.GetByRole(AriaRole.Button, new() { Name = "Send one call" }).ClickAsync();

        await Expect(page.Locator("#test .fault")).ToContainTextAsync("unauthorized", new() { IgnoreCase = true });
    }

    [Fact]
    public async Task Adds_an_agent_changes_it_and_deletes_it()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(await tenant.NewKeyAsync("admin"));
        var page = window.Page;
        await page.GotoAsync("/console/agents");
        await page.GetByRole(AriaRole.Link, new() { Name = "Add agent" }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("writer");
        await page.GetByLabel("Settings").FillAsync(
            """{"base_url": "https://api.example.com/v1", "max_output_tokens": 0}""");
        await page.GetByLabel("API key").FillAsync("sk-0123456789abcdef");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Expect(page.Locator("#settings-about")).ToContainTextAsync("model: Is required.");
        await Expect(page.GetByLabel("API key")).ToHaveValueAsync("");

        await page.GetByLabel("Settings").FillAsync(
            """{"base_url": "https://api.example.com/v1", "model": "large-1"}""");
        await page.GetByLabel("API key").FillAsync("sk-0123456789abcdef");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("The agent was created.");

        await page.GetByRole(AriaRole.Link, new() { Name = "Edit" }).ClickAsync();
        await Expect(page.GetByLabel("Settings")).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("large-1"));
        await page.GetByLabel("Description").FillAsync("Writes letters.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The agent was saved.");
        await Expect(page.Locator("main")).ToContainTextAsync("ends in cdef");

        await page.Locator(".delete summary").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete permanently" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The agent was deleted.");
        Assert.Empty(await tenant.Owner.ListAsync("/api/agents", "agents"));
        var audited = await tenant.Owner.ListAsync("/api/audit-log?target_kind=agent", "entries");
        Assert.Equal(
            ["agent.deleted", "agent.changed", "agent.created"],
            audited.Select(entry => entry.GetProperty("action").GetString()));
        Assert.Single(audited.Select(entry => entry.GetProperty("target_id").GetString()).Distinct());
        Assert.DoesNotContain("sk-0123456789abcdef", string.Join('\n', audited), StringComparison.Ordinal);
        // A form that was refused is one that the browser tells of.
        Assert.DoesNotContain(window.Complaints, complaint => !complaint.Contains("400", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Takes_the_stored_key_away_and_tells_of_a_name_that_is_taken()
    {
        using var tenant = await console.NewTenantAsync();
        var agents = new List<string>();
        foreach (var name in new[] { "one", "other" })
        {
            agents.Add((await tenant.Owner.PostAsync("/api/agents", new
            {
                name,
                kind = "http",
                api_key = "sk-0123456789abcdef",
                settings = new { url = "https://example.com/" },
            })).Expect(System.Net.HttpStatusCode.Created).Json.GetProperty("id").GetString()!);
        }

        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/agents/{agents[0]}/edit");

        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("other");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("#name-about")).ToContainTextAsync("An agent named 'other' already exists.");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("one");
        await page.GetByLabel("Remove the stored key").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The agent was saved.");
        var agent = (await tenant.Owner.GetAsync($"/api/agents/{agents[0]}")).Json;
        Assert.False(agent.GetProperty("api_key_set").GetBoolean());
    }
}
