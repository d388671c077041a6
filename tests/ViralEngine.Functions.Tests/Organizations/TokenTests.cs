using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Organizations;

public sealed class TokenTests(RunningApp running) : IClassFixture<RunningApp>
{
    [Fact]
    public async Task A_member_s_token_is_accepted_with_the_member_s_role()
    {
        var (tenant, subject) = await NewMemberAsync();
        using var client = running.App.NewClient(DevelopmentToken.Create(subject));

        (await client.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);
        (await client.PostAsync("/api/tasks", new { agent_id = "echo", description = "no" })).ExpectProblem(HttpStatusCode.Forbidden);

        tenant.Dispose();
    }

    [Fact]
    public async Task What_is_wrong_with_a_token_is_told_and_it_is_refused()
    {
        var (tenant, subject) = await NewMemberAsync();
        using var _ = tenant;
        var now = DateTimeOffset.UtcNow;

        await RefusedAsync(DevelopmentToken.Create(subject, audience: "another"), "audience");
        await RefusedAsync(DevelopmentToken.Create(subject, expires: now.AddMinutes(-5)), "expired");
        await RefusedAsync(DevelopmentToken.Create(subject, notBefore: now.AddMinutes(5)), "not valid yet");
        await RefusedAsync(DevelopmentToken.Create(subject, algorithm: "none"), "");
        await RefusedAsync(DevelopmentToken.Create(subject, key: new string('x', 40)), "");
        await RefusedAsync(DevelopmentToken.Create(subject) + "x", "");
        await RefusedAsync("not.a.token", "");
        await RefusedAsync("nonsense", "neither");
    }

    [Fact]
    public async Task A_stranger_s_token_is_good_for_no_tenant()
    {
        using var client = running.App.NewClient(DevelopmentToken.Create("stranger"));

        (await client.GetAsync("/api/tasks")).ExpectProblem(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_from_the_next_request_on()
    {
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var made = (await tenant.Owner.PostAsync($"/api/organizations/{tenant.Id}/api-keys", new { name = "short", role = "viewer" }))
            .Expect(HttpStatusCode.Created).Json;
        using var client = running.App.NewClient(made.GetProperty("key").GetString());
        (await client.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);

        (await tenant.Owner.DeleteAsync($"/api/organizations/{tenant.Id}/api-keys/{made.GetProperty("id")}")).Expect(HttpStatusCode.NoContent);

        Assert.Contains("invalid_token", (await client.GetAsync("/api/tasks")).Expect(HttpStatusCode.Unauthorized).Header("WWW-Authenticate"));
    }

    private async Task RefusedAsync(string token, string reason)
    {
        using var client = running.App.NewClient(token);
        var problem = (await client.GetAsync("/api/tasks")).ExpectProblem(HttpStatusCode.Unauthorized);
        Assert.Contains(reason, problem.Detail);
    }

    private async Task<(TestTenant Tenant, string Subject)> NewMemberAsync()
    {
        var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var subject = $"person-{Guid.NewGuid():n}";
        (await tenant.Owner.PostAsync($"/api/organizations/{tenant.Id}/members", new { subject, role = "viewer" })).Expect(HttpStatusCode.Created);
        return (tenant, subject);
    }
}
