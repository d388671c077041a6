using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Webhooks;

/// <summary>Headers that were given for one receiver go to no other.</summary>
[Trait("Category", "BlackBox")]
public sealed class HeadersOfOriginTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Theory]
    [InlineData("https://other.example/hook")]
    [InlineData("http://example.com/hook")]
    [InlineData("https://example.com:8443/hook")]
    public async Task A_new_origin_needs_its_headers_again(string url)
    {
        using var tenant = await api.NewTenantAsync();
        var path = await CreateAsync(tenant);

        var refused = (await tenant.Owner.PatchAsync(path, new { url })).ExpectProblem(HttpStatusCode.BadRequest);
        var before = (await tenant.Owner.GetAsync(path)).Expect(HttpStatusCode.OK).Json.GetProperty("url").GetString();
        (await tenant.Owner.PatchAsync(path, new { url, headers = new { Authorization = "theirs" } }))
            .Expect(HttpStatusCode.OK);

        Assert.Equal("headers", Assert.Single(refused.Errors.Keys));
        Assert.Equal("https://example.com/hook", before);
    }

    [Fact]
    public async Task Headers_can_be_left_behind_and_another_path_keeps_them()
    {
        using var tenant = await api.NewTenantAsync();
        var path = await CreateAsync(tenant);

        var sameOrigin = (await tenant.Owner.PatchAsync(path, new { url = "https://EXAMPLE.com:443/other" }))
            .Expect(HttpStatusCode.OK).Json;
        var left = (await tenant.Owner.PatchAsync(path, """{"url":"https://other.example/","headers":null}"""))
            .Expect(HttpStatusCode.OK).Json;

        Assert.Equal(1, sameOrigin.GetProperty("header_names").GetArrayLength());
        Assert.Equal(0, left.GetProperty("header_names").GetArrayLength());
    }

    private static async Task<string> CreateAsync(TestTenant tenant) =>
        "/api/webhooks/" + (await tenant.Owner.PostAsync(
            "/api/webhooks",
            new
            {
                url = "https://example.com/hook",
                event_types = new[] { "*" },
                headers = new { Authorization = "hush" }
            }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();
}
