using System.Net;
using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>A gate from the inbox to its decision.</summary>
public sealed class ApprovalTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task Approves_by_keyboard_with_a_reason()
    {
        using var tenant = await console.NewTenantAsync();
        using var operators = await tenant.NewClientAsync("operator");
        var workflow = await WorkflowWithGate.StartAsync(operators, "Publish it?");
        var approver = await tenant.NewKeyAsync("approver");
        await using var window = await console.SignInAsync(approver);
        var page = window.Page;

        await page.GotoAsync("/console/approvals");
        await page.GetByRole(AriaRole.Link, new() { Name = "Publish it?" }).ClickAsync();
        await page.GetByLabel("Reason (optional)").FillAsync("Looks right.");
        await page.GetByRole(AriaRole.Heading, new() { Name = "Publish it?" }).ClickAsync();
        await page.Keyboard.PressAsync("a");
        await page.Keyboard.PressAsync("Enter");

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Your approval was recorded.");
        await Expect(page.Locator("#gate-decisions")).ToContainTextAsync("Looks right.");
        var gate = (await tenant.Owner.GetAsync($"/api/workflows/{workflow}/gates/ask")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal("approved", gate.GetProperty("status").GetString());
        Assert.Equal("Looks right.", gate.GetProperty("decisions")[0].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_one_time_link_has_the_same_design_and_decides_on_a_phone_that_is_not_signed_in()
    {
        using var tenant = await console.NewTenantAsync();
        using var operators = await tenant.NewClientAsync("operator");
        using var approver = await tenant.NewClientAsync("approver");
        var title = $"Publish it? {Visitor.Script}";
        var workflow = await WorkflowWithGate.StartAsync(operators, title, $"To all customers. {Visitor.Script}");
        var link = (await approver.PostAsync(
            $"/api/workflows/{workflow}/gates/ask/links", new { decision = "approve" }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("url").GetString()!;
        var path = new Uri(link).AbsolutePath;
        await using var window = await console.NewWindowAsync(new() { HasTouch = true, IsMobile = true });
        var page = window.Page;

        await window.LooksRightAsync(path, "link");
        await page.SetViewportSizeAsync(360, 740);
        await Expect(page.Locator("main")).ToContainTextAsync(title);
        await Expect(page).ToHaveTitleAsync("Approve? · Viral Engine");
        await page.GetByLabel("Reason (optional)").FillAsync("From my phone.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).TapAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Thank you");

        Assert.Empty(window.Complaints);
        var gate = (await tenant.Owner.GetAsync($"/api/workflows/{workflow}/gates/ask")).Expect(HttpStatusCode.OK).Json;
        var decision = gate.GetProperty("decisions")[0];
        Assert.Equal("approved", gate.GetProperty("status").GetString());
        Assert.Equal("From my phone.", decision.GetProperty("reason").GetString());
        Assert.Equal("link", decision.GetProperty("via").GetString());
        await page.GotoAsync(path);
        await Expect(page.Locator("h1")).ToHaveTextAsync("This link no longer works");
    }

    [Fact]
    public async Task A_page_that_shows_the_gate_shows_anothers_decision_as_it_is_made()
    {
        using var tenant = await console.NewTenantAsync();
        using var operators = await tenant.NewClientAsync("operator");
        var workflow = await WorkflowWithGate.StartAsync(operators, "Go on?");
        await using var window = await console.SignInAsync(await tenant.NewKeyAsync("viewer"));
        await window.Page.GotoAsync($"/console/approvals/{workflow}/ask");
        await Expect(window.Page.Locator("#gate-head .status")).ToHaveTextAsync("open");
        await Expect(window.Page.Locator("#gate-workflow .node.waiting")).ToContainTextAsync("ask");

        (await tenant.Owner.PostAsync(
            $"/api/workflows/{workflow}/gates/ask/decisions", new { decision = "reject", reason = "Not yet." }))
            .Expect(HttpStatusCode.OK);

        await Expect(window.Page.Locator("#gate-head .status")).ToHaveTextAsync("rejected");
        await Expect(window.Page.Locator("#gate-decisions")).ToContainTextAsync("Not yet.");
        await Expect(window.Page.Locator("#gate-workflow .node.waiting")).ToHaveCountAsync(0);
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "release" }).ClickAsync();
        await Expect(window.Page.Locator("#workflow-head")).ToContainTextAsync("release");
    }

    [Fact]
    public async Task A_page_whose_stream_was_refused_on_the_way_opens_it_again()
    {
        using var tenant = await console.NewTenantAsync();
        using var operators = await tenant.NewClientAsync("operator");
        var workflow = await WorkflowWithGate.StartAsync(operators, "Go on?");
        await using var window = await console.SignInAsync(await tenant.NewKeyAsync("viewer"));
        var opened = 0;
        await window.Page.RouteAsync("**/stream", route =>
            Interlocked.Increment(ref opened) == 1 ? route.FulfillAsync(
                new() { Status = 502 }) : route.ContinueAsync());
        await window.Page.GotoAsync($"/console/approvals/{workflow}/ask");
        await Eventually.TrueAsync(() => Volatile.Read(ref opened) > 1, "the stream to be opened again");

        (await tenant.Owner.PostAsync($"/api/workflows/{workflow}/gates/ask/decisions", new { decision = "approve" }))
            .Expect(HttpStatusCode.OK);

        await Expect(window.Page.Locator("#gate-head .status")).ToHaveTextAsync("approved");
    }
}
