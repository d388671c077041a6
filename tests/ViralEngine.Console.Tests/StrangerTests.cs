using System.Net;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>What the console refuses, and what it shows as text.</summary>
public sealed class StrangerTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Theory]
    [InlineData("/console")]
    [InlineData("/console/tasks")]
    [InlineData("/console/tasks/new")]
    [InlineData("/console/tasks/00000000-0000-0000-0000-000000000000")]
    [InlineData("/console/approvals")]
    [InlineData("/console/approvals/00000000-0000-0000-0000-000000000000/ask")]
    [InlineData("/console/organizations")]
    public async Task Shows_nothing_without_a_session(string address)
    {
        using var visitor = NewVisitor();

        await visitor.IsLedToSignInAsync(address);
    }

    [Fact]
    public async Task Another_organizations_task_is_not_there()
    {
        using var mine = await console.NewTenantAsync();
        using var other = await console.NewTenantAsync();
        var task = await other.SubmitAsync(new { agent_id = "echo", description = "secret words" });
        using var visitor = NewVisitor();
        await visitor.SignInAsync(mine.OwnerKey);
        var form = await visitor.FormAsync("/console/tasks/new", "/console/tasks/new");

        foreach (var answer in new[]
        {
            await visitor.GetAsync($"/console/tasks/{task}"),
            await visitor.GetAsync($"/console/tasks/new?from={task}"),
            await visitor.GetAsync($"/api/tasks/{task}/stream"),
            await visitor.PostAsync($"/console/tasks/{task}/cancel", form.Token),
        })
        {
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.DoesNotContain("secret words", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_viewer_submits_and_decides_nothing()
    {
        using var tenant = await console.NewTenantAsync();
        using var operators = await tenant.NewClientAsync("operator");
        var workflow = await WorkflowWithGate.StartAsync(operators, "Go on?");
        using var visitor = NewVisitor();
        await visitor.SignInAsync(await tenant.NewKeyAsync("viewer"));
        var form = await visitor.FormAsync("/console", "/console/sign-out");

        foreach (var answer in new[]
        {
            await visitor.GetAsync("/console/tasks/new"),
            await visitor.PostAsync("/console/tasks/new", form.Token, ("description", "x"), ("agent_id", "echo")),
            await visitor.PostAsync($"/console/approvals/{workflow}/ask/decide", form.Token, ("decision", "approve")),
        })
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        Assert.Empty(await tenant.Owner.ListAsync("/api/tasks", "tasks"));
    }

    [Fact]
    public async Task A_forged_form_is_refused()
    {
        using var tenant = await console.NewTenantAsync();
        using var visitor = NewVisitor();
        using var attacker = NewVisitor();
        await visitor.SignInAsync(tenant.OwnerKey);
        await attacker.SignInAsync(tenant.OwnerKey);
        var form = await visitor.FormAsync("/console/tasks/new", "/console/tasks/new");
        var anothers = await attacker.FormAsync("/console/tasks/new", "/console/tasks/new");
        (string, string)[] fields = [("description", "x"), ("agent_id", "echo")];

        foreach (var answer in new[]
        {
            await visitor.PostAsync(form.Action, null, fields),
            await visitor.PostAsync(form.Action, "", fields),
            await visitor.PostAsync(form.Action, anothers.Token, fields),
            await visitor.PostFromAsync("cross-site", form.Action, form.Token, fields),
            await visitor.PostFromAsync("same-site", form.Action, form.Token, fields),
        })
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        Assert.Empty(await tenant.Owner.ListAsync("/api/tasks", "tasks"));
        Assert.Equal(
            HttpStatusCode.SeeOther,
            (await visitor.PostFromAsync("same-origin", form.Action, form.Token, fields)).StatusCode);
    }

    [Fact]
    public async Task The_session_opens_streams_of_the_API_and_nothing_else_of_it()
    {
        using var tenant = await console.NewTenantAsync();
        var task = await tenant.SubmitAsync(new { agent_id = "echo", description = "x" });
        await tenant.WaitForAsync(task, "completed");
        using var visitor = NewVisitor();
        await visitor.SignInAsync(tenant.OwnerKey);

        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync($"/api/tasks/{task}/stream")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await visitor.GetAsync($"/api/tasks/{task}")).StatusCode);
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await visitor.PostAsync($"/api/tasks/{task}/cancel", null)).StatusCode);
    }

    [Theory]
    [InlineData("/console/sign-in")]
    [InlineData("/console/nowhere")]
    public async Task No_page_may_be_framed_or_run_what_is_not_ours(string address)
    {
        using var visitor = NewVisitor();

        var answer = await visitor.GetAsync(address);

        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.True(answer.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task Script_in_what_users_write_is_shown_as_text()
    {
        using var tenant = await console.NewTenantAsync();
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 300 });
        var task = await tenant.SubmitAsync(
            new { agent_id = slow, description = Visitor.Script, tags = new[] { "<b>tag" } });
        using var operators = await tenant.NewClientAsync("operator");
        var workflow = await WorkflowWithGate.StartAsync(operators, Visitor.Script[..80], Visitor.Script);
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        await page.GotoAsync($"/console/tasks/{task}");
        await Expect(page.Locator("#task-head .status")).ToHaveTextAsync("completed");
        await Expect(page.Locator("#answer")).ToContainTextAsync("<script>");
        string[] views =
        [
            $"/console/tasks/{task}", "/console/tasks", "/console", $"/console/approvals/{workflow}/ask",
            $"/console/tasks/new?from={task}",
        ];
        foreach (var address in views)
        {
            await page.GotoAsync(address);
            await Expect(page.Locator("main img, main script, main b")).ToHaveCountAsync(0);
            Assert.DoesNotContain("owned", await page.TitleAsync(), StringComparison.Ordinal);
        }

        Assert.Empty(window.Complaints);
    }

    private Visitor NewVisitor() => new(console.App.Address);
}
