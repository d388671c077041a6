using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Health;

[Trait("Category", "BlackBox")]
public sealed class HealthTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Fact, Trait("Category", "Smoke")]
    public async Task Lives_and_is_ready_with_the_latency_of_each_part()
    {
        using var anybody = app.NewClient();

        var live = (await anybody.GetAsync("/api/health")).Expect(HttpStatusCode.OK).Json;
        var ready = (await anybody.GetAsync("/api/health/ready")).Expect(HttpStatusCode.OK).Json;

        Assert.Equal("healthy", live.GetProperty("status").GetString());
        Assert.Equal("ready", ready.GetProperty("status").GetString());
        foreach (var part in new[] { "postgresql", "redis", "orchestrations" })
        {
            var check = ready.GetProperty("checks").GetProperty(part);
            Assert.Equal("up", check.GetProperty("status").GetString());
            Assert.True(check.GetProperty("latency_ms").GetDouble() >= 0);
        }
    }
}

/// <summary>What readiness says while a part is away.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task Without_its_database_it_lives_and_is_not_ready()
    {
        var postgres = new TestPostgres();
        await postgres.InitializeAsync();
        await using var app = await AppProcess.StartAsync(postgres);
        using var anybody = app.NewClient();

        // Drops it, whoever is connected.
        await postgres.DisposeAsync();

        var ready = await Eventually.GetAsync(
            () => anybody.GetAsync("/api/health/ready"), answer => answer.Status == HttpStatusCode.ServiceUnavailable,
            "readiness to notice");
        Assert.Equal("unavailable", ready.Json.GetProperty("status").GetString());
        Assert.Equal("down", StatusOf(ready.Json, "postgresql"));
        Assert.Equal("up", StatusOf(ready.Json, "redis"));
        (await anybody.GetAsync("/api/health")).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_redis_it_is_degraded_until_redis_is_back()
    {
        var postgres = new TestPostgres();
        await postgres.InitializeAsync();
        await using var redis = await RedisProcess.StartAsync();
        await using (var app = await AppProcess.StartAsync(
            new AppSettings(postgres) with { Redis = redis.ConnectionString }))
        {
            using var anybody = app.NewClient();

            await redis.KillAsync();
            var away = await WaitForAsync(anybody, "degraded");
            await redis.RestartAsync();
            await WaitForAsync(anybody, "ready");

            Assert.Equal("down", StatusOf(away.Json, "redis"));
            Assert.Equal("up", StatusOf(away.Json, "postgresql"));
        }

        await postgres.DisposeAsync();
    }

    private static async Task<ApiResponse> WaitForAsync(ApiClient client, string status) =>
        (await Eventually.GetAsync(
            () => client.GetAsync("/api/health/ready"),
            answer => answer.Json.GetProperty("status").GetString() == status,
            $"readiness to be {status}")).Expect(HttpStatusCode.OK);

    private static string? StatusOf(JsonElement ready, string part) =>
        ready.GetProperty("checks").GetProperty(part).GetProperty("status").GetString();
}
