using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>An incident from the list to its end, and what a rule would have raised.</summary>
public sealed class AlertTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task Mutes_and_resolves_an_incident_that_is_drawn_with_its_band()
    {
        using var tenant = await console.NewTenantAsync();
        var alert = await Incident.AddAsync(console.Postgres, tenant);
        await using var window = await console.SignInAsync(await tenant.NewKeyAsync("operator"));
        var page = window.Page;
        await page.GotoAsync("/console/alerts?status=open");
        await page.GetByRole(AriaRole.Link, new() { Name = "The error rate is too high." }).ClickAsync();
        await Expect(page.Locator(".chart path.band")).ToHaveCountAsync(1);
        await Expect(page.Locator(".chart rect.incident")).ToHaveCountAsync(1);

        await page.GetByLabel("Minutes").FillAsync("30");
        await page.GetByRole(AriaRole.Button, new() { Name = "Mute" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The alert is muted.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resolve" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The alert was resolved.");
        await Expect(page.Locator("main h1 .status")).ToHaveTextAsync("resolved");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Resolve" })).ToHaveCountAsync(0);
        var audited = await tenant.Owner.ListAsync("/api/audit-log?target_kind=alert", "entries");
        Assert.Equal(
            ["alert.resolved", "alert.muted"], audited.Select(entry => entry.GetProperty("action").GetString()));
        Assert.All(audited, entry => Assert.Equal($"{alert}", entry.GetProperty("target_id").GetString()));
    }

    [Fact]
    public async Task Acknowledges_an_incident_which_stays_open_and_says_by_whom()
    {
        using var tenant = await console.NewTenantAsync();
        var alert = await Incident.AddAsync(console.Postgres, tenant);
        await using var window = await console.SignInAsync(await tenant.NewKeyAsync("operator"));
        var page = window.Page;
        await page.GotoAsync("/console/alerts");
        await Expect(page.Locator("td .tag")).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Link, new() { Name = "The error rate is too high." }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The alert was acknowledged.");
        await Expect(page.Locator("main h1 .status")).ToHaveTextAsync("open");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" })).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Resolve" })).ToHaveCountAsync(1);
        var read = (await tenant.Owner.GetAsync($"/api/alerts/{alert}")).Json;
        var by = read.GetProperty("acknowledged_by").GetString()!;
        Assert.StartsWith("api_key:", by, StringComparison.Ordinal);
        await Expect(page.Locator("main dd").Filter(new() { HasText = by })).ToHaveCountAsync(1);
        await page.GotoAsync("/console/alerts");
        await Expect(page.Locator("td .tag")).ToHaveTextAsync("acknowledged");
        var entry = Assert.Single(await tenant.Owner.ListAsync("/api/audit-log?target_kind=alert", "entries"));
        Assert.Equal(
            ("alert.acknowledged", $"{alert}", by),
            (entry.GetProperty("action").GetString(), entry.GetProperty("target_id").GetString(),
            entry.GetProperty("actor").GetString()));
    }

    [Fact]
    public async Task A_viewer_sees_an_incident_without_what_changes_it()
    {
        using var tenant = await console.NewTenantAsync();
        var alert = await Incident.AddAsync(console.Postgres, tenant);
        await using var window = await console.SignInAsync(await tenant.NewKeyAsync("viewer"));
        var page = window.Page;

        await page.GotoAsync($"/console/alerts/{alert}");

        await Expect(page.Locator("main h1 .status")).ToHaveTextAsync("open");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" })).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Resolve" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Previews_a_rule_over_what_is_stored()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(await tenant.NewKeyAsync("viewer"));
        var page = window.Page;
        await page.GotoAsync("/console/alert-rules");
        await page.GetByRole(AriaRole.Link, new() { Name = "Error rate" }).ClickAsync();

        await page.GetByLabel("Days back").FillAsync("3");
        await page.GetByRole(AriaRole.Button, new() { Name = "Preview" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("No alerts in the last 3 days.");
    }

    [Theory]
    [InlineData("pause_agent")]
    [InlineData("use_fallback")]
    [InlineData("halve_concurrency")]
    public async Task A_rule_that_is_saved_again_does_what_it_did(string action)
    {
        using var tenant = await console.NewTenantAsync();
        var spare = await tenant.NewEchoAsync(new { });
        var created = await tenant.Owner.PostAsync(
            "/api/agents", new { name = "acted on", kind = "echo", fallback_agent_ids = new[] { spare } });
        var agent = created.Expect(System.Net.HttpStatusCode.Created).Json.GetProperty("id").GetString();
        var made = await tenant.Owner.PostAsync(
            "/api/alert-rules", new { name = "acts", metric = "failures", agent_id = agent, action });
        var rule = made.Expect(System.Net.HttpStatusCode.Created).Json.GetProperty("id").GetString();
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.Page.GotoAsync($"/console/alert-rules/{rule}/edit");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The rule was saved.");

        Assert.Equal(
            action, (await tenant.Owner.GetAsync($"/api/alert-rules/{rule}")).Json.GetProperty("action").GetString());
    }

    [Fact]
    public async Task Previews_a_rule_adds_it_changes_it_and_deletes_it()
    {
        using var tenant = await console.NewTenantAsync();
        await Incident.AddAsync(console.Postgres, tenant);
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync("/console/alert-rules/new");
        await page.GetByLabel("Name").FillAsync("Many failures");
        await page.GetByLabel("Metric").SelectOptionAsync("failures");
        await page.GetByLabel("Mode").SelectOptionAsync("static");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Expect(page.Locator("#bound_above-about")).ToContainTextAsync("Mode static needs");

        await page.GetByLabel("Above", new() { Exact = true }).FillAsync("10");
        await page.GetByRole(AriaRole.Button, new() { Name = "Preview" }).ClickAsync();
        await Expect(page.Locator("#preview [role=status]")).ToContainTextAsync("in the last 7 days");
        await Expect(page.GetByLabel("Name")).ToHaveValueAsync("Many failures");
        var before = (await tenant.Owner.ListAsync("/api/alert-rules", "alert_rules")).Count;
        await page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("The rule was created.");

        await page.GetByRole(AriaRole.Link, new() { Name = "Edit" }).ClickAsync();
        await Expect(page.GetByLabel("Above", new() { Exact = true })).ToHaveValueAsync("10");
        await page.GetByLabel("State", new() { Exact = true }).SelectOptionAsync("false");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The rule was saved.");
        await Expect(page.Locator("main h1")).ToContainTextAsync("off");
        Assert.Equal(before + 1, (await tenant.Owner.ListAsync("/api/alert-rules", "alert_rules")).Count);

        await page.Locator(".delete summary").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete permanently" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("The rule was deleted.");
        Assert.Equal(before, (await tenant.Owner.ListAsync("/api/alert-rules", "alert_rules")).Count);
        var audited = await tenant.Owner.ListAsync("/api/audit-log?target_kind=alert_rule", "entries");
        Assert.Equal(
            ["alert_rule.deleted", "alert_rule.changed", "alert_rule.created"],
            audited.Select(entry => entry.GetProperty("action").GetString()));
    }
}
