using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Organizations;

[Trait("Category", "BlackBox")]
public sealed class ApiKeyTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Fact, Trait("Category", "Smoke")]
    public async Task A_revoked_key_is_refused_from_the_next_request_on()
    {
        using var tenant = await app.NewTenantAsync();
        var made = (await tenant.Owner.PostAsync(
            $"/api/organizations/{tenant.Id}/api-keys", new { name = "short", role = "viewer" }))
            .Expect(HttpStatusCode.Created).Json;
        using var client = app.NewClient(made.GetProperty("key").GetString());
        (await client.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);

        (await tenant.Owner.DeleteAsync($"/api/organizations/{tenant.Id}/api-keys/{made.GetProperty("id")}"))
            .Expect(HttpStatusCode.NoContent);

        Assert.Contains(
            "invalid_token",
            (await client.GetAsync("/api/tasks")).Expect(HttpStatusCode.Unauthorized).Header("WWW-Authenticate"));
    }
}
