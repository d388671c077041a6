using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>Keys, people, budgets, and what is written down of them.</summary>
public sealed class OrganizationTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task A_key_is_shown_once_works_and_is_revoked()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync("/console/api-keys");
        await page.GetByLabel("Name").FillAsync("pipeline");
        await page.GetByLabel("Role").SelectOptionAsync("operator");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
        var secret = (await page.Locator("#secret").TextContentAsync())!;
        using var made = new ApiClient(tenant.Owner.Address, secret);
        (await made.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copy" })).ToBeVisibleAsync();

        await page.GotoAsync("/console/api-keys");
        Assert.DoesNotContain(secret, await page.ContentAsync(), StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke pipeline" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The key was revoked.");

        (await made.GetAsync("/api/tasks")).Expect(HttpStatusCode.Unauthorized);
        await page.GotoAsync("/console/audit-log?action=api_key.*");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(2);
        await Expect(page.Locator("tbody")).ToContainTextAsync("api_key.revoked");
        Assert.DoesNotContain(secret, await page.ContentAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invites_a_person_changes_their_role_and_removes_them()
    {
        using var tenant = await console.NewTenantAsync();
        var subject = $"person-{Guid.NewGuid():n}";
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync("/console/members");
        await page.GetByLabel("Subject of the person's tokens").FillAsync(subject);
        await page.GetByLabel("E-mail").FillAsync("ada@example.com");
        await page.GetByRole(AriaRole.Button, new() { Name = "Invite" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The person was invited.");
        await Expect(page.Locator("tbody .status")).ToHaveTextAsync("invited");

        await page.GetByLabel($"Role of {subject}").SelectOptionAsync("approver");
        await page.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The role was changed.");
        await Expect(page.GetByLabel($"Role of {subject}")).ToHaveValueAsync("approver");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Remove {subject}" }).ClickAsync();

        await Expect(page.Locator("main h2").First).ToHaveTextAsync("No members yet");
        Assert.Empty(await tenant.Owner.ListAsync($"/api/organizations/{tenant.Id}/members", "members"));
    }

    [Fact]
    public async Task Sets_the_budget_and_leaves_those_of_agents()
    {
        using var tenant = await console.NewTenantAsync();
        (await tenant.Owner.PutAsync(
            $"/api/organizations/{tenant.Id}/budget",
            new { agents = new[] { new { agent_id = "echo", monthly_usd = 5 } } }))
            .Expect(HttpStatusCode.OK);
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync("/console/organization");
        await page.GetByLabel("US dollars per month").FillAsync("much");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("#monthly_usd-about")).ToContainTextAsync("Must be");

        await page.GetByLabel("US dollars per month").FillAsync("120.50");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The budget was saved.");
        await Expect(page.Locator(".figures")).ToContainTextAsync(new Regex(@"of \$120\.50"));
        var budget = (await tenant.Owner.GetAsync($"/api/organizations/{tenant.Id}/budget")).Json;
        Assert.Equal(120.5m, budget.GetProperty("monthly_usd").GetDecimal());
        Assert.Equal(5m, budget.GetProperty("agents")[0].GetProperty("monthly_usd").GetDecimal());
        var audited = await tenant.Owner.ListAsync("/api/audit-log?action=budget.changed", "entries");
        Assert.All(audited, entry => Assert.Equal($"{tenant.Id}", entry.GetProperty("target_id").GetString()));
        Assert.Equal(2, audited.Count);
    }
}
