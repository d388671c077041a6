using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>A task from its form to its end, as somebody at a browser sees it.</summary>
public sealed class TaskTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task A_submitted_task_tells_its_answer_token_by_token_and_ends_without_a_reload()
    {
        using var tenant = await console.NewTenantAsync();
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 500 });
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.AddInitScriptAsync("""
            window.seen = new Set();
            new MutationObserver(() => window.seen.add(document.querySelector("#answer")?.textContent ?? ""))
              .observe(document, { subtree: true, childList: true, characterData: true });
            """);
        const string Words =
            "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen";

        await page.GotoAsync("/console/tasks/new");
        await page.GetByLabel("Prompt").FillAsync(Words);
        await page.GetByLabel("Agent").FillAsync(agent);
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The task was submitted.");
        var loaded = await page.EvaluateAsync<double>("performance.timeOrigin");

        await Expect(page.Locator("#answer")).ToHaveTextAsync(new Regex(Words));
        await Expect(page.Locator("#task-head .status")).ToHaveTextAsync("completed");
        Assert.Equal(loaded, await page.EvaluateAsync<double>("performance.timeOrigin"));
        var seen = await page.EvaluateAsync<string[]>("[...window.seen]");
        Assert.True(seen.Count(text => text.Length > 0) > 2, "The answer came at once: " + string.Join(" | ", seen));
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Cancels_retries_and_duplicates()
    {
        using var tenant = await console.NewTenantAsync();
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var task = await tenant.SubmitAsync(
            new { agent_id = agent, description = "a long one", tags = new[] { "slow" } });
        await tenant.WaitForAsync(task, "in_progress");
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/tasks/{task}");

        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(page.Locator("#task-head .status")).ToHaveTextAsync("cancelled");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The task will run again.");
        await page.GetByRole(AriaRole.Link, new() { Name = "Duplicate" }).ClickAsync();

        await Expect(page.GetByLabel("Tags")).ToHaveValueAsync("slow");
        var audited = await tenant.Owner.ListAsync("/api/audit-log", "entries");
        Assert.Contains(audited, entry => entry.GetProperty("action").GetString() == "task.cancelled"
            && entry.GetProperty("target_id").GetString() == task);
    }

    [Fact]
    public async Task Shows_what_is_wrong_beside_its_field_and_keeps_what_was_written()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        await page.GotoAsync("/console/tasks/new");
        await page.GetByLabel("Prompt").FillAsync("something");
        await page.GetByLabel("Agent").FillAsync("nobody");
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();

        await Expect(page.Locator("#agent_id-about")).ToHaveTextAsync("There is no agent 'nobody'.");
        await Expect(page.GetByLabel("Prompt")).ToHaveValueAsync("something");
        Assert.Empty(await tenant.Owner.ListAsync("/api/tasks", "tasks"));
    }

    [Fact]
    public async Task Filters_and_turns_pages()
    {
        using var tenant = await console.NewTenantAsync();
        for (var i = 0; i < 21; i++)
            await tenant.SubmitAsync(new { agent_id = "echo", description = $"task {i}", tags = new[] { "many" } });
        await tenant.SubmitAsync(new { agent_id = "echo", description = "the other" });
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        await page.GotoAsync("/console/tasks");
        await page.GetByLabel("Tag").FillAsync("many");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(20);
        await page.GetByRole(AriaRole.Link, new() { Name = "Next page" }).ClickAsync();

        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await Expect(page.Locator("tbody")).ToContainTextAsync("task 0");
        await Expect(page.GetByText("the other")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Searches_descriptions_and_turns_pages()
    {
        using var tenant = await console.NewTenantAsync();
        for (var i = 0; i < 21; i++)
            await tenant.SubmitAsync(new { agent_id = "echo", description = $"Letter {i}, 100% done" });
        await tenant.SubmitAsync(new { agent_id = "echo", description = "Report, 100 pages" });
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        await page.GotoAsync("/console/tasks");
        await page.GetByLabel("Search descriptions").FillAsync("100%");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(20);
        await Expect(page.GetByText("Report")).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Link, new() { Name = "Next page" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await Expect(page.GetByLabel("Search descriptions")).ToHaveValueAsync("100%");
        await page.GetByLabel("Search descriptions").FillAsync("REPORT");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();

        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await Expect(page.Locator("tbody")).ToContainTextAsync("Report, 100 pages");
    }

    [Fact]
    public async Task A_form_that_is_sent_twice_submits_one_task()
    {
        using var tenant = await console.NewTenantAsync();
        using var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(tenant.OwnerKey);
        var form = await visitor.FormAsync("/console/tasks/new", "/console/tasks/new");

        var first = await visitor.PostAsync(form.Action, form.Token, ("description", "once"), ("agent_id", "echo"));
        var second = await visitor.PostAsync(form.Action, form.Token, ("description", "once"), ("agent_id", "echo"));

        Assert.Equal((HttpStatusCode.SeeOther, HttpStatusCode.SeeOther), (first.StatusCode, second.StatusCode));
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Single(await tenant.Owner.ListAsync("/api/tasks", "tasks"));
    }
}
