using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Breakers;

/// <summary>Tenants whose agents are at the same host.</summary>
public sealed class SharedHostTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    /// <summary>A mistake of his own, and a part of the host that is his alone and does not work.</summary>
    [Theory]
    [InlineData("right", "/nothing/here")]
    [InlineData("broken", null)]
    public async Task What_goes_wrong_for_one_tenant_holds_up_no_other(string path, string? textPath)
    {
        var calls = 0;
        await using var host = await LoopbackServer.StartAsync(async http =>
        {
            if (http.Request.Path == "/broken")
                http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            if (http.Request.Headers.Authorization == "Bearer clumsy")
                Interlocked.Increment(ref calls);
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync("""{"text":"hello"}""");
        });
        using var clumsy = await app.NewTenantAsync();
        using var other = await app.NewTenantAsync();
        var wrong = await AgentAsync(clumsy, host.Url + path, textPath, "clumsy");
        var right = await AgentAsync(other, host.Url + "right", "/text", "right");

        await Task.WhenAll(Enumerable.Range(0, 14).Select(_ => clumsy.SubmitAsync(
            new { agent_id = wrong, description = "x", max_attempts = 1 })));
        await Eventually.TrueAsync(() => Volatile.Read(ref calls) >= 10, "the breaker to have heard enough");
        var tasks = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => other.SubmitAsync(
            new { agent_id = right, description = "x", max_attempts = 1 })));

        foreach (var task in tasks)
        {
            var ended = await Eventually.GetAsync(
                () => other.Owner.GetAsync($"/api/tasks/{task}"),
                answer => answer.Json.GetProperty("status").GetString() is "completed" or "failed",
                "the other's task to end");
            Assert.Equal("completed", ended.Json.GetProperty("status").GetString());
        }
    }

    private static async Task<string> AgentAsync(TestTenant tenant, string url, string? textPath, string key) =>
        (await tenant.Owner.PostAsync(
            "/api/agents",
            new { name = "remote", kind = "http", api_key = key, settings = new { url, text_path = textPath } }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
}
