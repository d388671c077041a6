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
        (await client.PostAsync("/api/tasks", new { agent_id = "echo", description = "no" })).ExpectProblem(
            HttpStatusCode.Forbidden);

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
    public async Task The_header_chooses_among_a_person_s_organizations_and_never_grants_one()
    {
        using var first = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        using var second = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        using var foreign = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var subject = $"person-{Guid.NewGuid():n}";
        foreach (var tenant in new[] { first, second })
        {
            (await tenant.NewMemberAsync("viewer", subject)).Dispose();
        }

        using var person = running.App.NewClient(DevelopmentToken.Create(subject));
        var unnamed = await ListAsync(null);
        var own = await ListAsync(second.Id.ToString());
        var notOwn = await ListAsync(foreign.Id.ToString());
        var garbage = await ListAsync("everyone");

        Assert.Contains("X-Tenant-ID", unnamed.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        Assert.Equal(
            second.Id, own.Expect(HttpStatusCode.OK).Json.GetProperty("organizations")[0].GetProperty("id").GetGuid());
        notOwn.ExpectProblem(HttpStatusCode.Forbidden);
        Assert.Contains("X-Tenant-ID", garbage.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);

        Task<ApiResponse> ListAsync(string? tenant)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/api/organizations");
            if (tenant is not null)
                request.Headers.Add("X-Tenant-ID", tenant);
            return person.SendAsync(request);
        }
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
        (await tenant.NewMemberAsync("viewer", subject)).Dispose();
        return (tenant, subject);
    }
}
