using System.Net;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>What the views of the organization, alerts and metrics refuse, and what they show as text.</summary>
public sealed class OrganizationStrangerTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Theory]
    [InlineData("organization")]
    [InlineData("members")]
    [InlineData("api-keys")]
    [InlineData("audit-log")]
    [InlineData("alerts")]
    [InlineData("alerts/00000000-0000-0000-0000-000000000000")]
    [InlineData("alert-rules")]
    [InlineData("alert-rules/00000000-0000-0000-0000-000000000000")]
    [InlineData("alert-rules/new")]
    [InlineData("alert-rules/00000000-0000-0000-0000-000000000000/edit")]
    [InlineData("invitations")]
    [InlineData("metrics")]
    public async Task Shows_nothing_without_a_session(string address)
    {
        using var visitor = new Visitor(console.App.Address);

        await visitor.IsLedToSignInAsync($"/console/{address}");
    }

    [Fact]
    public async Task A_viewer_makes_no_key_and_invites_nobody()
    {
        using var tenant = await console.NewTenantAsync();
        var alert = await Incident.AddAsync(console.Postgres, tenant);
        var rule = (await tenant.Owner.ListAsync("/api/alert-rules", "alert_rules"))[0].GetProperty("id").GetString();
        using var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(await tenant.NewKeyAsync("viewer"));
        var (_, token) = await visitor.FormAsync("/console", "/console/sign-out");
        var keys = (await tenant.Owner.ListAsync($"/api/organizations/{tenant.Id}/api-keys", "api_keys")).Count;

        foreach (var answer in new[]
        {
            await visitor.GetAsync("/console/api-keys"),
            await visitor.GetAsync("/console/audit-log"),
            await visitor.PostAsync("/console/api-keys", token, ("name", "mine"), ("role", "owner")),
            await visitor.PostAsync("/console/members", token, ("subject", "me"), ("role", "owner")),
            await visitor.PostAsync("/console/organization/budget", token, ("monthly_usd", "1000000")),
            await visitor.GetAsync("/console/alert-rules/new"),
            await visitor.PostAsync("/console/alert-rules/new", token, ("name", "x"), ("metric", "failures")),
            await visitor.PostAsync($"/console/alert-rules/{rule}/edit", token, ("name", "x"), ("metric", "failures")),
            await visitor.PostAsync($"/console/alert-rules/{rule}/delete", token),
            await visitor.PostAsync($"/console/alerts/{alert}/acknowledge", token),
            await visitor.PostAsync($"/console/alerts/{alert}/resolve", token),
            await visitor.PostAsync($"/console/alerts/{alert}/mute", token, ("minutes", "60")),
        })
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        Assert.Equal(
            keys, (await tenant.Owner.ListAsync($"/api/organizations/{tenant.Id}/api-keys", "api_keys")).Count);
        Assert.Empty(await tenant.Owner.ListAsync($"/api/organizations/{tenant.Id}/members", "members"));
    }

    [Fact]
    public async Task An_admin_gives_nobody_more_than_they_have()
    {
        using var tenant = await console.NewTenantAsync();
        using var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(await tenant.NewKeyAsync("admin"));
        var (_, token) = await visitor.FormAsync("/console", "/console/sign-out");

        var key = await visitor.PostAsync("/console/api-keys", token, ("name", "mine"), ("role", "owner"));
        var member = await visitor.PostAsync("/console/members", token, ("subject", "me"), ("role", "owner"));

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (key.StatusCode, member.StatusCode));
    }

    [Fact]
    public async Task Another_organizations_alerts_people_and_keys_are_not_there()
    {
        using var mine = await console.NewTenantAsync();
        using var other = await console.NewTenantAsync();
        var alert = await Incident.AddAsync(console.Postgres, other);
        var rule = (await other.Owner.ListAsync("/api/alert-rules", "alert_rules"))[0].GetProperty("id").GetString();
        var key = (await other.Owner.ListAsync($"/api/organizations/{other.Id}/api-keys", "api_keys"))[0]
            .GetProperty("id").GetString();
        var member = (await other.Owner.PostAsync(
            $"/api/organizations/{other.Id}/members", new { subject = "theirs", role = "viewer" }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();
        using var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(mine.OwnerKey);
        var (_, token) = await visitor.FormAsync("/console", "/console/sign-out");

        foreach (var answer in new[]
        {
            await visitor.GetAsync($"/console/alerts/{alert}"),
            await visitor.GetAsync($"/console/alert-rules/{rule}/edit"),
            await visitor.PostAsync($"/console/alert-rules/{rule}/edit", token, ("name", "x"), ("metric", "failures")),
            await visitor.PostAsync($"/console/alert-rules/{rule}/delete", token),
            await visitor.PostAsync($"/console/alerts/{alert}/acknowledge", token),
            await visitor.PostAsync($"/console/alerts/{alert}/resolve", token),
            await visitor.PostAsync($"/console/alerts/{alert}/mute", token, ("minutes", "60")),
            await visitor.GetAsync($"/console/alert-rules/{rule}"),
            await visitor.PostAsync($"/console/api-keys/{key}/revoke", token),
            await visitor.PostAsync($"/console/members/{member}/role", token, ("role", "owner")),
            await visitor.PostAsync($"/console/members/{member}/remove", token),
        })
        {
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Script_in_what_users_write_is_shown_as_text()
    {
        using var tenant = await console.NewTenantAsync();
        var alert = await Incident.AddAsync(console.Postgres, tenant, Visitor.Script);
        (await tenant.Owner.PostAsync(
            $"/api/organizations/{tenant.Id}/members",
            new { subject = Visitor.Script, name = Visitor.Script, role = "viewer" }))
            .Expect(HttpStatusCode.Created);
        (await tenant.Owner.PostAsync(
            $"/api/organizations/{tenant.Id}/api-keys", new { name = Visitor.Script[..80], role = "viewer" }))
            .Expect(HttpStatusCode.Created);
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        foreach (var address in new[] { "members", "api-keys", "audit-log", "alerts", $"alerts/{alert}" })
        {
            await window.Page.GotoAsync($"/console/{address}");
            await Expect(window.Page.Locator("main")).ToContainTextAsync("<img src=x");
            await Expect(window.Page.Locator("main img, main script, main b")).ToHaveCountAsync(0);
            Assert.NotEqual("owned", await window.Page.TitleAsync());
        }

        Assert.Empty(window.Complaints);
    }
}
