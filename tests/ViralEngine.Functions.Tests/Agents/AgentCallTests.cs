using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Agents;

/// <summary>Agents that call a server of ours.</summary>
public sealed class AgentCallTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    private const string Secret = "sk-live-0123456789abcdef";

    [Fact]
    public async Task Never_shows_a_secret_and_keeps_it_until_told_otherwise()
    {
        using var api = await NewTenantAsync();
        var seen = new List<string>();
        await using var server = await LoopbackServer.StartAsync(http =>
        {
            seen.Add($"{http.Request.Headers.Authorization} {http.Request.Headers["X-Token"]}");
            return http.Response.WriteAsync("ok");
        });
        var created = await CreateAsync(api, new
        {
            name = "mine",
            kind = "http",
            api_key = Secret,
            settings =
                new { url = server.Url, secret_headers = new Dictionary<string, string> { ["X-Token"] = "hush" } },
        });
        var path = $"/api/agents/{Id(created)}";

        var patched = (await api.PatchAsync(path, new { description = "Changed." })).Expect(HttpStatusCode.OK);
        await TestAsync();
        var removed = (await api.PatchAsync(path, """{"api_key":null,"settings":{"secret_headers":null}}"""))
            .Expect(HttpStatusCode.OK);
        await TestAsync();

        Assert.Equal([$"Bearer {Secret} hush", " "], seen);
        Assert.Equal("cdef", created.Json.GetProperty("api_key_hint").GetString());
        Assert.True(patched.Json.GetProperty("api_key_set").GetBoolean());
        Assert.Equal("X-Token", patched.Json.GetProperty("secret_header_names")[0].GetString());
        Assert.False(removed.Json.GetProperty("api_key_set").GetBoolean());
        foreach (var answer in new[]
        {
            created, patched, removed, await api.GetAsync(path), await api.GetAsync("/api/agents")
        })
        {
            Assert.DoesNotContain(Secret, answer.Text);
            Assert.DoesNotContain("hush", answer.Text);
        }

        async Task TestAsync() => (await api.PostAsync(path + "/test")).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Tests_an_agent_or_says_how_its_provider_failed()
    {
        using var api = await NewTenantAsync();
        await using var server = await LoopbackServer.StartAsync(http =>
        {
            http.Response.StatusCode = 429;
            http.Response.Headers.RetryAfter = "20";
            return Task.CompletedTask;
        });
        var limited = Id(
            await CreateAsync(api, new { name = "limited", kind = "http", settings = new { url = server.Url } }));

        var worked = (await api.PostAsync("/api/agents/echo/test", new { description = "hello there" }))
            .Expect(HttpStatusCode.OK).Json;
        var failed = await api.PostAsync($"/api/agents/{limited}/test");

        Assert.Equal("hello there", worked.GetProperty("output").GetString());
        Assert.Equal(2, worked.GetProperty("usage").GetProperty("output_tokens").GetInt32());
        var problem = failed.ExpectProblem(HttpStatusCode.BadGateway);
        Assert.Equal("urn:viral-engine:problem:agent-rate-limited", problem.Type);
        Assert.Equal("127.0.0.1 answered 429 Too Many Requests; retry after 20 s.", problem.Detail);
        Assert.Equal("20", failed.Header("Retry-After"));
    }

    private static string Id(ApiResponse created) => created.Json.GetProperty("id").GetString()!;

    private static async Task<ApiResponse> CreateAsync(ApiClient api, object agent) =>
        (await api.PostAsync("/api/agents", agent)).Expect(HttpStatusCode.Created);

    private async Task<ApiClient> NewTenantAsync() => (await app.NewTenantAsync()).Owner;
}
