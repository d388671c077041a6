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
    private OtlpReceiver collector = null!;

    public async Task InitializeAsync()
    {
        await postgres.InitializeAsync();
        collector = await OtlpReceiver.StartAsync();
        cluster = await AppCluster.StartAsync(
            collector.Observe(new AppSettings(postgres))
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
        await collector.DisposeAsync();
        await postgres.DisposeAsync();
    }

    [Fact]
    public async Task A_provider_that_dies_is_left_alone_by_all_instances_probed_by_one_and_taken_back_by_all()
    {
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey, "free");
        var api = tenant.Owner;
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
            _ => cluster.Instances.Any(instance => OpenAsync(instance).Result == 1),
            "the breaker to be open on an instance");
        await AllOnAsync(1);
        await Eventually.TrueAsync(
            () => collector.PointsOf("viral.breaker.open").Any(point =>
                point.Value == 1 && point.Attributes["server.address"] == new Uri(provider.Url).Authority),
            "the metrics to name the host");
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
            Assert.True(
                Stopwatch.GetElapsedTime(probes[i - 1], probes[i]).TotalSeconds > BreakSeconds * 0.9,
                "Probed twice in one break.");

        dead = false;
        await Eventually.GetAsync(
            () => RunAsync(tenant, agent, 3), agents => agents.Contains("remote"), "the provider to be taken back");
        await AllOnAsync(0);
        Assert.Equal(["remote"], (await RunAsync(tenant, agent, 12)).Distinct());

        // Opened once by all together, and once more after each probe but the last, which closed it for all.
        Assert.Equal(1, Logged("Circuit closed for"));
        Assert.Equal(Logged("Circuit half open for"), Logged("Circuit opened for"));
    }

    [Fact]
    public async Task A_provider_that_says_when_to_come_back_is_not_called_before_by_any_instance()
    {
        await using var busy = await LoopbackServer.StartAsync(http =>
        {
            calls.Enqueue(Stopwatch.GetTimestamp());
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            http.Response.Headers.RetryAfter = "8";
            return Task.CompletedTask;
        });
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey, "free");
        var api = tenant.Owner;
        var echo = await AgentAsync(api, new { name = "fallback", kind = "echo" });
        var agent = await AgentAsync(
            api,
            new
            {
                name = "remote",
                kind = "http",
                settings = new { url = busy.Url },
                fallback_agent_ids = new[] { echo }
            });

        var answers = new List<string>(await RunAsync(tenant, agent, 1));
        await Eventually.TrueAsync(
            async () =>
            {
                answers.AddRange(await RunAsync(tenant, agent, 3));
                return calls.Count > 1;
            },
            "the provider to be called again");

        Assert.Equal(["fallback"], answers.Distinct());
        var times = calls.ToArray();
        Assert.True(Stopwatch.GetElapsedTime(times[0], times[1]).TotalSeconds > 7.9, "Called before it was asked to.");
    }

    [Fact]
    public async Task A_webhook_host_that_dies_is_left_alone_probed_once_a_break_and_taken_back()
    {
        await using var receiver = await WebhookReceiver.StartAsync(503);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        (await tenant.Owner.PostAsync(
            "/api/webhooks", new { url = receiver.Url, event_types = new[] { "task.created" } }))
            .Expect(HttpStatusCode.Created);

        await Eventually.TrueAsync(
            async () =>
            {
                await tenant.SubmitAsync(new { agent_id = "echo", description = "x" });
                return await OpenAsync(cluster[0]) == 1;
            },
            "the breaker to be open");
        await AllOnAsync(1);
        var opened = DateTime.UtcNow;
        for (var i = 0; i < 20; i++)
            await tenant.SubmitAsync(new { agent_id = "echo", description = "x" });
        // What was on its way when it opened has a moment to come.
        var probes = await Eventually.GetAsync(
            () => Task.FromResult(receiver.Received.Where(webhook => webhook.At > opened.AddSeconds(1)).ToList()),
            webhooks => webhooks.Count >= 3,
            "three probes");
        receiver.AnswerWith(200);

        for (var i = 1; i < probes.Count; i++)
            Assert.True(
                (probes[i].At - probes[i - 1].At).TotalSeconds > BreakSeconds * 0.9, "Probed twice in one break.");
        await Eventually.TrueAsync(async () => await OpenAsync(cluster[0]) == 0, "the breaker to be closed");
        await AllOnAsync(0);
        var last = await tenant.SubmitAsync(new { agent_id = "echo", description = "x" });
        await Eventually.TrueAsync(
            () => receiver.Received.Any(webhook => webhook.Data.GetProperty("subject_id").GetString() == last),
            "a webhook to come");
    }

    private Task AllOnAsync(int open) => Eventually.TrueAsync(
        async () => (await Task.WhenAll(cluster.Instances.Select(OpenAsync))).All(count => count == open),
        $"all instances to know {open} open breakers");

    /// <summary>On all instances together.</summary>
    private int Logged(string words) =>
        cluster.Instances.Sum(instance => instance.Output.Split(words).Length - 1);

    /// <summary>Who answered.</summary>
    private async Task<string[]> RunAsync(TestTenant tenant, string agent, int tasks) =>
        await Task.WhenAll(Enumerable.Range(0, tasks).Select(async _ =>
        {
            using var api = cluster.Next().NewClient(tenant.OwnerKey);
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
