using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>What the script adds to pages that are whole without it.</summary>
public sealed class PageScriptTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task A_part_that_somebody_is_in_is_brought_up_to_date_when_they_leave_it_and_its_status_is_announced()
    {
        using var tenant = await console.NewTenantAsync();
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var task = await tenant.SubmitAsync(new { agent_id = agent, description = "a long one" });
        await tenant.WaitForAsync(task, "in_progress");
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/tasks/{task}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Duplicate" }).FocusAsync();

        (await tenant.Owner.PostAsync($"/api/tasks/{task}/cancel")).Expect(HttpStatusCode.Accepted);
        await Expect(page.Locator("#task-history")).ToContainTextAsync("cancelled");
        await Expect(page.Locator("#task-head .status")).ToHaveTextAsync("in progress");
        await page.Locator("#answer").FocusAsync();

        await Expect(page.Locator("#task-head .status")).ToHaveTextAsync("cancelled");
        await Expect(page.Locator("#said")).ToHaveTextAsync("Status: cancelled");
        await Expect(page.Locator("#answer")).ToBeFocusedAsync();
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Typed_times_are_of_the_viewers_zone_and_sent_as_UTC()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        await page.GotoAsync("/console/tasks");
        await page.GetByLabel("Created after").FillAsync("2030-01-01T05:30");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();

        await Expect(page).ToHaveURLAsync(new Regex("[?&]created_after=2030-01-01T00%3A00(&|%3A00)"));
        await Expect(page.GetByLabel("Created after")).ToHaveValueAsync(new Regex("^2030-01-01T05:30(:00)?$"));
        await Expect(page.Locator("label[for=created_after]")).ToHaveTextAsync(
            new Regex(@"^Created after \((GMT\+5:30|IST)\)$"));
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Typed_times_are_UTC_without_a_script()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.NewWindowAsync(new() { JavaScriptEnabled = false });
        var page = window.Page;
        await page.GotoAsync("/console/sign-in");
        await page.GetByLabel("API key or token").FillAsync(tenant.OwnerKey);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Home");

        await page.GotoAsync("/console/tasks?created_after=2030-01-01T00:00:00Z");

        await Expect(page.GetByLabel("Created after (UTC)")).ToHaveValueAsync(
            new Regex("^2030-01-01T00:00(:00)?$"));
    }
}
