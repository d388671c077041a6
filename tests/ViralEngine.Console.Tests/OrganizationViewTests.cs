using System.Net;

namespace ViralEngine.Console.Tests;

/// <summary>The views of the organization, alerts and metrics, once each.</summary>
public sealed class OrganizationViewTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Theory]
    [InlineData("/console/organization", "organization-empty")]
    [InlineData("/console/members", "members-empty")]
    [InlineData("/console/alerts", "alerts-empty")]
    [InlineData("/console/alert-rules", "alert-rules")]
    [InlineData("/console/metrics", "metrics-empty")]
    public async Task Views_of_an_organization_that_has_nothing_yet(string address, string name)
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.LooksRightAsync(address, name);
    }

    [Fact]
    public async Task Organization()
    {
        using var tenant = await console.NewTenantAsync();
        (await tenant.Owner.PutAsync($"/api/organizations/{tenant.Id}/budget", new
        {
            monthly_usd = 200,
            agents = new[] { new { agent_id = "echo", monthly_usd = 5 } },
        })).Expect(HttpStatusCode.OK);
        (await tenant.Owner.PostAsync($"/api/organizations/{tenant.Id}/members", new
        {
            subject = "auth0|0123456789",
            name = "Ada Lovelace",
            email = "ada@example.com",
            role = "approver",
        })).Expect(HttpStatusCode.Created);
        using var member = await tenant.NewMemberAsync("viewer", new string('w', 200));
        await tenant.NewKeyAsync("operator");
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.LooksRightAsync("/console/organization", "organization");
        await window.LooksRightAsync("/console/members", "members");
        await window.LooksRightAsync("/console/api-keys", "api-keys");
        await window.LooksRightAsync("/console/audit-log", "audit-log");
    }

    [Fact]
    public async Task Alerts_and_metrics()
    {
        using var tenant = await console.NewTenantAsync();
        var alert = await Incident.AddAsync(
            console.Postgres, tenant,
            "The error rate was 24 % over the last 8 minutes, above the 0.5 % to 7 % expected "
            + "(3 % is usual at this time).");
        var rule = (await tenant.Owner.ListAsync("/api/alert-rules", "alert_rules"))[0].GetProperty("id").GetString();
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.LooksRightAsync("/console/alerts", "alerts");
        await window.LooksRightAsync($"/console/alerts/{alert}", "alert");
        await window.LooksRightAsync($"/console/alert-rules/{rule}?days=1", "alert-rule");
        await window.LooksRightAsync("/console/alert-rules/new", "alert-rule-new");
        await window.LooksRightAsync($"/console/alert-rules/{rule}/edit", "alert-rule-edit");
        var from = DateTime.UtcNow.AddHours(-3).ToString(
            "yyyy-MM-ddTHH:mm", System.Globalization.CultureInfo.InvariantCulture);
        await window.LooksRightAsync($"/console/metrics?step=minute&from={from}", "metrics");
    }
}
