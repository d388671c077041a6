using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Breakers;

public sealed class BreakerTests : IAsyncLifetime
{
    private const double BreakSeconds = 3;

    private readonly TestPostgres postgres = new();
    private readonly ConcurrentQueue<long> calls = new();
    private volatile bool dead;
    private AppCluster cluster = null!;
    private LoopbackServer provider = null!;

    public async Task InitializeAsync()
    {
        await postgres.InitializeAsync();
        cluster = await AppCluster.StartAsync(
            new AppSettings(postgres)
                .With("Breakers:MinimumCalls", "4")
                .With("Breakers:BreakSeconds", "3"),
            3);
        provider = await LoopbackServer.StartAsync(http =>
        {
            calls.Enqueue(Stopwatch.GetTimestamp());
            http.Response.StatusCode = dead ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
            return http.Response.WriteAsync("alive");
        });
    }

    public async Task DisposeAsync()
    {
        await provider.DisposeAsync();
        await cluster.DisposeAsync();
        await postgres.DisposeAsync();
    }

    [Fact]
    public async Task A_provider_that_dies_is_left_alone_by_all_instances_probed_by_one_and_taken_back_by_all()
    {
        var tenant = await Tenant.CreateAsync(cluster[0]);
        using var api = cluster[0].NewClient(tenant.Key);
        var echo = await AgentAsync(api, new { name = "fallback", kind = "echo" });
        var agent = await AgentAsync(api, new
        {
            name = "remote",
            kind = "http",
            settings = new { url = provider.Url },
            fallback_agent_ids = new[] { echo },
        });
        Assert.Equal(["remote"], (await RunAsync(tenant, agent, 6)).Distinct());

        dead = true;
        await Eventually.GetAsync(
            async () => await RunAsync(tenant, agent, 6),
            _ => cluster.Instances.All(instance => OpenAsync(instance).Result == 1),
            "the breaker to be open on all instances");
        calls.Clear();
        await Eventually.GetAsync(
            async () =>
            {
                Assert.Equal(["fallback"], (await RunAsync(tenant, agent, 6)).Distinct());
                return calls.Count;
            },
            probes => probes >= 3,
            "three probes");

        var probes = calls.ToArray();
        for (var i = 1; i < probes.Length; i++)
            Assert.True(Stopwatch.GetElapsedTime(probes[i - 1], probes[i]).TotalSeconds > BreakSeconds * 0.9, "Probed twice in one break.");

        dead = false;
        await Eventually.GetAsync(() => RunAsync(tenant, agent, 3), agents => agents.Contains("remote"), "the provider to be taken back");
        await Eventually.TrueAsync(
            async () => (await Task.WhenAll(cluster.Instances.Select(OpenAsync))).All(open => open == 0),
            "the breaker to be closed on all instances");
        Assert.Equal(["remote"], (await RunAsync(tenant, agent, 12)).Distinct());
    }

    /// <summary>Who answered.</summary>
    private async Task<string[]> RunAsync(Tenant tenant, string agent, int tasks) =>
        await Task.WhenAll(Enumerable.Range(0, tasks).Select(async _ =>
        {
            using var api = cluster.Next().NewClient(tenant.Key);
            var path = (await api.PostAsync("/api/tasks", new { agent_id = agent, description = "x" }))
                .Expect(HttpStatusCode.Created).Header("Location")!;
            var ended = await Eventually.GetAsync(
                async () => (await api.GetAsync(path)).Json,
                task => task.GetProperty("status").GetString() == "completed",
                "the task to be completed");
            return ended.GetProperty("answered_by").GetString()!;
        }));

    private static async Task<int> OpenAsync(AppProcess instance)
    {
        using var api = instance.NewClient();
        var breakers = (await api.GetAsync("/api/health/ready")).Json.GetProperty("breakers");
        return breakers.GetProperty("open").GetInt32() + breakers.GetProperty("half_open").GetInt32();
    }

    private static async Task<string> AgentAsync(ApiClient api, object agent) =>
        (await api.PostAsync("/api/agents", agent)).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
}
