using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Metrics;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Alerts;

/// <summary>
/// Instances of the app call a real provider and record what came of it; two watchers, whose minutes the test lets
/// pass, judge it. Their minutes lie in the future of the instances, which find none that is over; the tasks are told
/// to have ended in them.
/// </summary>
public sealed class WatchedProviderTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private static readonly DateTime Noon = new(2051, 5, 5, 12, 0, 0, DateTimeKind.Utc);
    private DateTime now = Noon;

    [Fact]
    public async Task An_agent_whose_provider_fails_is_paused_by_its_rule_and_comes_back_by_itself()
    {
        var fails = false;
        await using var provider = await LoopbackServer.StartAsync(http =>
        {
            http.Response.StatusCode = fails ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
            return http.Response.WriteAsync("fine");
        });
        await using var app = await AppCluster.StartAsync(
            new AppSettings(postgres).With("Breakers:MinimumCalls", "10000"), 2);
        using var tenant = await NewTenantAsync(app[0].Address);
        var agent = await tenant.NewHttpAsync(new { url = provider.Url });
        await CreateAsync(tenant, "/api/alert-rules", new
        {
            name = "failing",
            metric = "error_rate",
            agent_id = agent,
            direction = "above",
            action = "pause_agent",
        });
        // A day in which one of a hundred failed, judged minute by minute: nobody watched meanwhile.
        await AddDayAsync(tenant, agent);
        await PassAsync(minutes: 1441);
        await EndedAsync(tenant, await RunAsync(tenant, agent, 10), "completed");
        await PassAsync(minutes: 1);
        Assert.Empty(await AlertsAsync(tenant));

        fails = true;
        await EndedAsync(tenant, await RunAsync(tenant, agent, 10), "failed");
        await PassAsync(minutes: 1);
        var alert = Assert.Single(await AlertsAsync(tenant));
        var held = await RunAsync(tenant, agent, 3);
        await Eventually.TrueAsync(() => WaitForAlertAsync(tenant, held), "the agent's tasks to wait for the alert");
        fails = false;
        await PassAsync(minutes: 90);

        await EndedAsync(tenant, held, "completed");
        await PassAsync(minutes: 1);
        var resolved = Assert.Single(await AlertsAsync(tenant));
        Assert.Equal(
            ("open", "resolved", "recovery"),
            (Text(alert, "status"), Text(resolved, "status"), Text(resolved, "resolved_by")));
        Assert.Equal(["agent.pause_agent_undone", "agent.pause_agent"], await AuditedAsync(tenant, agent));
        var read = (await tenant.Owner.GetAsync($"/api/alerts/{Text(alert, "id")}")).Expect(HttpStatusCode.OK).Json;
        var series = Assert.Single(read.GetProperty("series").EnumerateArray());
        Assert.Contains("The error rate of agent", Text(series, "reason"), StringComparison.Ordinal);
        Assert.InRange(series.GetProperty("high").GetDouble(), 0.01, 0.9);
    }

    [Fact]
    public async Task An_agent_whose_provider_refuses_is_sent_to_its_fallback_by_its_rule_and_comes_back_by_itself()
    {
        var refuses = false;
        // A refusal is the request's own fault, as far as the chain can tell: fallbacks are not asked.
        await using var provider = await LoopbackServer.StartAsync(http =>
        {
            http.Response.StatusCode = refuses ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK;
            return http.Response.WriteAsync("from the provider");
        });
        await using var spare = await LoopbackServer.StartAsync(http => http.Response.WriteAsync("from the spare"));
        await using var app = await AppCluster.StartAsync(new AppSettings(postgres), 2);
        using var tenant = await NewTenantAsync(app[0].Address);
        var agent = await CreateAsync(tenant, "/api/agents", new
        {
            name = "first",
            kind = "http",
            settings = new { url = provider.Url },
            fallback_agent_ids = new[] { await tenant.NewHttpAsync(new { url = spare.Url }) },
        });
        await CreateAsync(tenant, "/api/alert-rules", new
        {
            name = "refusing",
            metric = "error_rate",
            agent_id = agent,
            direction = "above",
            action = "use_fallback",
        });
        await AddDayAsync(tenant, agent);
        await PassAsync(minutes: 1441);
        await AnsweredAsync("from the provider");

        refuses = true;
        await EndedAsync(tenant, await RunAsync(tenant, agent, 10), "failed");
        await PassAsync(minutes: 1);
        Assert.Equal("open", Text(Assert.Single(await AlertsAsync(tenant)), "status"));
        // Each minute in which the spare answers everything speaks for recovery.
        for (var minute = 0;
            minute < 90 && Text(Assert.Single(await AlertsAsync(tenant)), "status") == "open";
            minute++)
        {
            if (minute < 3)
                await AnsweredAsync("from the spare");
            await PassAsync(minutes: 1);
        }

        refuses = false;
        await AnsweredAsync("from the provider");
        var resolved = Assert.Single(await AlertsAsync(tenant));
        Assert.Equal(("resolved", "recovery"), (Text(resolved, "status"), Text(resolved, "resolved_by")));
        Assert.Equal(["agent.use_fallback_undone", "agent.use_fallback"], await AuditedAsync(tenant, agent));

        async Task AnsweredAsync(string answer)
        {
            var tasks = await RunAsync(tenant, agent, 10);
            await EndedAsync(tenant, tasks, "completed");
            foreach (var task in tasks)
                Assert.Equal(answer, Text((await tenant.Owner.GetAsync($"/api/tasks/{task}")).Json, "result"));
        }
    }

    [Fact]
    public async Task An_alert_halves_how_many_calls_an_agent_makes_at_a_time_until_it_is_resolved()
    {
        var calls = new ConcurrentQueue<TaskCompletionSource>();
        var (running, most) = (0, 0);
        await using var provider = await LoopbackServer.StartAsync(async http =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            calls.Enqueue(held);
            await held.Task;
            Interlocked.Decrement(ref running);
            await http.Response.WriteAsync("fine");
        });
        await using var app = await AppCluster.StartAsync(new AppSettings(postgres), 2);
        using var tenant = await NewTenantAsync(app[0].Address);
        var agent = await tenant.NewHttpAsync(new { url = provider.Url, max_concurrency = 4 });
        await CreateAsync(tenant, "/api/alert-rules", new
        {
            name = "busy",
            metric = "throughput",
            agent_id = agent,
            mode = "static",
            direction = "above",
            bound_above = 0.5,
            action = "halve_concurrency",
        });
        var first = await RunAsync(tenant, agent, 1);
        await Eventually.TrueAsync(() => Task.FromResult(Release(calls) > 0), "the first call");
        await EndedAsync(tenant, first, "completed");
        await PassAsync(minutes: 1);
        var alert = Text(Assert.Single(await AlertsAsync(tenant)), "id");

        most = 0;
        var halved = await RunAsync(tenant, agent, 6);
        await Eventually.TrueAsync(
            () => IsHeldAsync(tenant, agent, inFlight: 2), "two calls, and more tasks that wait for the limit");
        await ReleaseUntilEndedAsync(tenant, halved, calls);
        Assert.Equal(2, most);
        (await tenant.Owner.PostAsync($"/api/alerts/{alert}/resolve")).Expect(HttpStatusCode.OK);
        var whole = await RunAsync(tenant, agent, 6);
        await Eventually.TrueAsync(
            () => Task.FromResult(Volatile.Read(ref running) == 4), "four calls at a time again");
        await ReleaseUntilEndedAsync(tenant, whole, calls);

        Assert.Equal(["agent.halve_concurrency_undone", "agent.halve_concurrency"], await AuditedAsync(tenant, agent));
    }

    /// <summary>An organization whose only rules are those of the test, watched from noon on.</summary>
    private async Task<TestTenant> NewTenantAsync(Uri address)
    {
        var tenant = await TestTenant.CreateAsync(address, AppSettings.PlatformKey);
        await ExecuteAsync("DELETE FROM viral.alert_rules");
        await ExecuteAsync("UPDATE viral.metric_progress SET until = $1 WHERE name = 'minute'", now);
        return tenant;
    }

    /// <summary>
    /// What has ended meanwhile ended in the next minute; then minutes pass, each judged by whoever comes first.
    /// </summary>
    private async Task PassAsync(int minutes)
    {
        await ExecuteAsync("UPDATE viral.metric_points SET at = $1 WHERE at < $2", now, Noon.AddYears(-1));
        now = now.AddMinutes(minutes);
        await Task.WhenAll(WatchAsync(), WatchAsync());
        await WatchAsync();
    }

    private async Task WatchAsync()
    {
        await using var db = postgres.NewDb();
        var clock = new FakeTimeProvider(now.AddSeconds(10));
        await new DetectAnomalies(
            db, new MetricRollup(db, clock), new AuditStore(db), clock, NullLogger<DetectAnomalies>.Instance)
            .RunAsync(default);
    }

    private Task AddDayAsync(TestTenant tenant, string agent) => ExecuteAsync(
        """
        INSERT INTO viral.metric_rollups (
            tenant_id, step, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
            cost_usd, latencies, latency_count, latency_log_sum)
        SELECT $1, 'minute', $2::timestamptz + minute * interval '1 minute', $3, 'http', '', 20,
               (minute % 5 = 0)::integer, 0, 0, 0, 0,
               '{}', 0, 0
        FROM generate_series(0, 1440) AS minute
        """,
        tenant.Id, now, agent);

    private async Task ExecuteAsync(string sql, params object[] args)
    {
        await using var admin = new NpgsqlConnection(postgres.AdminConnection);
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand(sql, admin);
        foreach (var arg in args)
            command.Parameters.Add(new() { Value = arg });
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string[]> RunAsync(TestTenant tenant, string agent, int tasks)
    {
        var ids = new string[tasks];
        for (var i = 0; i < tasks; i++)
            ids[i] = await tenant.SubmitAsync(new { agent_id = agent, description = "x", max_attempts = 1 });
        return ids;
    }

    private static async Task EndedAsync(TestTenant tenant, string[] tasks, string status)
    {
        foreach (var task in tasks)
            await tenant.WaitForAsync(task, status);
    }

    private static async Task<bool> WaitForAlertAsync(TestTenant tenant, string[] tasks)
    {
        foreach (var task in tasks)
        {
            var json = (await tenant.Owner.GetAsync($"/api/tasks/{task}")).Expect(HttpStatusCode.OK).Json;
            if (json.GetProperty("waiting_for").GetString() != "alert")
                return false;
        }

        return true;
    }

    private static async Task<bool> IsHeldAsync(TestTenant tenant, string agent, int inFlight)
    {
        var flow = (await tenant.Owner.GetAsync($"/api/agents/{agent}/flow")).Expect(HttpStatusCode.OK).Json;
        return flow.GetProperty("in_flight").GetInt32() == inFlight
            && flow.GetProperty("waiting_for").TryGetProperty("limit", out _);
    }

    private static async Task ReleaseUntilEndedAsync(
        TestTenant tenant, string[] tasks, ConcurrentQueue<TaskCompletionSource> calls) =>
        await Eventually.TrueAsync(
            async () =>
            {
                Release(calls);
                foreach (var task in tasks)
                {
                    if ((await tenant.Owner.GetAsync($"/api/tasks/{task}")).Json.GetProperty("status").GetString()
                        != "completed")
                        return false;
                }

                return true;
            },
            "the tasks to be completed");

    private static int Release(ConcurrentQueue<TaskCompletionSource> calls)
    {
        var released = 0;
        for (; calls.TryDequeue(out var held); released++)
            held.SetResult();
        return released;
    }

    private static async Task<JsonElement[]> AlertsAsync(TestTenant tenant) =>
        [.. (await tenant.Owner.GetAsync("/api/alerts")).Expect(HttpStatusCode.OK).Json
            .GetProperty("alerts").EnumerateArray()];

    private static async Task<string[]> AuditedAsync(TestTenant tenant, string agent)
    {
        var audited = (await tenant.Owner.GetAsync($"/api/audit-log?target_kind=agent&target_id={agent}"))
            .Expect(HttpStatusCode.OK).Json;
        return
        [
            .. audited.GetProperty("entries").EnumerateArray().Where(entry => Text(entry, "credential") == "rule")
                .Select(entry => Text(entry, "action")),
        ];
    }

    private static async Task<string> CreateAsync(TestTenant tenant, string path, object body) =>
        Text((await tenant.Owner.PostAsync(path, body)).Expect(HttpStatusCode.Created).Json, "id");

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
