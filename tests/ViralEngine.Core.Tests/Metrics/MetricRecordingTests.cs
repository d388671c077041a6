using Microsoft.Extensions.Time.Testing;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Metrics;

public sealed class MetricRecordingTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private readonly TenantId tenant = new(Guid.CreateVersion7());

    [Fact]
    public async Task What_ends_tasks_records_them_by_agent_in_the_same_transaction()
    {
        await using var db = postgres.NewDb();
        await AddTaskAsync("completed", seconds: 20, inputTokens: 10, cost: 0.25m);
        await AddTaskAsync("failed", seconds: 1, inputTokens: 100, cost: 2);
        await AddTaskAsync("pending", seconds: 1, inputTokens: 1000, cost: 30);

        var point = Assert.Single(Assert.Single(await ReadAsync(db, MetricStep.Minute, MetricGroup.Agent)).Points);

        Assert.Equal((2, 1, 1, 1), (point.Finished, point.Completed, point.Failed, point.Retried));
        Assert.Equal(
            (0.5, 1110, 2220, 32.25m), (point.ErrorRate, point.InputTokens, point.OutputTokens, point.CostUsd));
        // The attempt goes on until the statement runs.
        Assert.InRange(point.LatencyP50!.Value, 20 * 0.98, 25);
        Assert.InRange(point.TimeToFirstTokenP50!.Value, 5 * 0.98, 5 * 1.02);
    }

    [Fact]
    public async Task A_transaction_that_is_given_up_records_nothing()
    {
        await using var db = postgres.NewDb();
        await db.BeginAsync(default);
        await AddTaskAsync("completed", 1, within: db);
        await db.RollbackAsync();

        Assert.Empty(await ReadAsync(db, MetricStep.Minute, MetricGroup.None));
    }

    [Fact]
    public async Task Tasks_of_several_agents_that_end_together_are_recorded_by_agent()
    {
        await using var db = postgres.NewDb();
        var deleted = Guid.CreateVersion7().ToString();
        Guid[] ids = [await AddRunningAsync(1), await AddRunningAsync(1), await AddRunningAsync(1, agent: deleted)];
        await TaskGroupStore.CompleteAsync(db, tenant, [.. ids.Select(id => Finished(id, 1))], default);

        var series = await ReadAsync(db, MetricStep.Minute, MetricGroup.Agent);

        Assert.Equal(
            [(deleted, 1L), ("echo", 2L)],
            series.Select(one => (one.Group!, (long)Assert.Single(one.Points).Completed)).Order());
        Assert.Equal(
            [deleted, "echo"],
            (await ReadAsync(db, MetricStep.Minute, MetricGroup.Provider)).Select(one => one.Group).Order());
    }

    [Fact]
    public async Task A_later_attempt_is_measured_from_its_own_start()
    {
        await using var db = postgres.NewDb();
        var id = await AddRunningAsync(seconds: 100, attempt: 2);
        await db.ExecuteAsync(
            tenant,
            """
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            VALUES ($1, $2, 1, 'task.started', '{}', now() - interval '100 seconds'),
                ($1, $2, 2, 'task.started', '{}', now() - interval '4 seconds')
            """,
            [tenant.Value, id],
            default);
        await TaskGroupStore.CompleteAsync(db, tenant, [Finished(id, attempt: 2)], default);

        var point = Assert.Single(Assert.Single(await ReadAsync(db, MetricStep.Minute, MetricGroup.Agent)).Points);

        Assert.InRange(point.LatencyP50!.Value, 4 * 0.98, 20);
    }

    [Fact]
    public async Task What_a_cancelled_attempt_has_used_is_counted_and_the_attempt_is_not()
    {
        await using var db = postgres.NewDb();
        var (paid, free) = (await AddRunningAsync(1), await AddRunningAsync(1));
        await db.ExecuteAsync(
            tenant, "UPDATE viral.tasks SET cancel_requested_at = now() WHERE tenant_id = $1 AND id = ANY ($2)",
            [tenant.Value, new[] { paid, free }], default);
        await Leases().EndCancelledAsync(tenant, paid, 1, 0, new AgentUsage(5, 6, 0.5m), default);
        await Leases().EndCancelledAsync(tenant, free, 1, 0, null, default);

        var point = Assert.Single(Assert.Single(await ReadAsync(db, MetricStep.Minute, MetricGroup.Agent)).Points);

        Assert.Equal(
            (0, 0, 5, 6, 0.5m), (point.Finished, point.Retried, point.InputTokens, point.OutputTokens, point.CostUsd));
        Assert.Equal(1, await CountAsync("SELECT count(*) FROM viral.metric_points WHERE tenant_id = $1"));
    }

    [Fact]
    public async Task Settled_items_of_a_batch_are_recorded_by_agent_and_those_that_wait_are_not()
    {
        await using var db = postgres.NewDb();
        var (batch, holder) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var agent = Guid.CreateVersion7();
        var slice = await db.QueryOneAsync(
            tenant,
            """
            WITH organization AS (
                INSERT INTO viral.organizations (id, name) VALUES ($1, 'o')
            ), agent AS (
                INSERT INTO viral.agents (tenant_id, id, name, kind, settings, created_by)
                VALUES ($1, $3, 'a', 'openai', '{"model": "m"}', 'test')
            ), batch AS (
                INSERT INTO viral.batches (
                    tenant_id, id, name, status, agent_id, concurrency_limit, failure_mode, total_items, created_by,
                    created_at, updated_at, check_at, progress_at)
                VALUES ($1, $2, 'b', 'in_progress', 'echo', 1, 'continue', 6, 'test', now(), now(), now(), now())
            ), item AS (
                INSERT INTO viral.batch_items (tenant_id, batch_id, number, description, agent_id)
                SELECT $1, $2, number, 'x', CASE WHEN number = 6 THEN $3::text END
                FROM generate_series(1, 6) AS number
            )
            INSERT INTO viral.batch_slices (tenant_id, batch_id, first, last, due_at, holder, lease_until)
            VALUES ($1, $2, 1, 6, now(), $4, now() + interval '1 minute')
            RETURNING id
            """,
            [tenant.Value, batch, agent, holder],
            row => row.GetInt64(0),
            default);
        ItemOutcome[] outcomes =
        [
            Answered(1, "echo", new AgentUsage(0, 7, 0), seconds: 20, firstToken: 5),
            // An empty answer has no first token.
            Answered(2, "echo", new AgentUsage(0, 7, 0), seconds: 40, firstToken: null),
            new(3, "failed", null, null, null, "{}", new AgentUsage(100, 0, 2), null),
            new(4, "pending", null, null, null, "{}", new AgentUsage(1000, 0, 30), TimeSpan.FromSeconds(1)),
            Answered(6, "a", null, seconds: 3, firstToken: 1),
        ];

        await new BatchLaneStore(db).SettleAndClaimAsync(
            tenant, batch, 0,
            [new SettledSlice(new SliceLease(slice, holder, 1, 6, 0), outcomes, [new SliceRest(5, 5, TimeSpan.Zero)])],
            null,
            default);

        var series = (await ReadAsync(db, MetricStep.Minute, MetricGroup.Agent)).ToDictionary(
            one => one.Group!, one => Assert.Single(one.Points));
        Assert.Equal([$"{agent}", "echo"], series.Keys.Order());
        var echo = series["echo"];
        Assert.Equal((2, 1, 1), (echo.Completed, echo.Failed, echo.Retried));
        Assert.Equal((1100, 14, 32), (echo.InputTokens, echo.OutputTokens, echo.CostUsd));
        AssertNear(20, echo.LatencyP50);
        AssertNear(40, echo.LatencyP99);
        AssertNear(5, echo.TimeToFirstTokenP99);
        var other = series[$"{agent}"];
        Assert.Equal(1, other.Completed);
        AssertNear(3, other.LatencyP99);
        AssertNear(1, other.TimeToFirstTokenP50);
        Assert.Equal(
            ["echo", "openai"],
            (await ReadAsync(db, MetricStep.Minute, MetricGroup.Provider)).Select(one => one.Group).Order());
        Assert.Equal(
            ["", "m"], (await ReadAsync(db, MetricStep.Minute, MetricGroup.Model)).Select(one => one.Group).Order());
    }

    [Fact]
    public async Task Folding_and_rolling_up_change_no_figure_and_count_nothing_twice()
    {
        await using var db = postgres.NewDb();
        var now = DateTime.UtcNow;
        await SetProgressAsync(HourOf(now), "hour");
        foreach (var seconds in new[] { 0.5, 1, 2, 4 })
            await AddTaskAsync("completed", seconds);
        var before = Assert.Single(Assert.Single(await ReadAsync(db, MetricStep.Hour, MetricGroup.None)).Points);

        // Two instances at once, and once more.
        await using var other = postgres.NewDb();
        await Task.WhenAll(
            Rollup(db, now.AddHours(3)).FoldAsync(now.AddHours(1), default),
            Rollup(other, now).FoldAsync(now.AddHours(1), default));
        await Rollup(db, now).FoldAsync(now.AddHours(1), default);
        var folded = Assert.Single(Assert.Single(await ReadAsync(db, MetricStep.Hour, MetricGroup.None)).Points);
        await SetProgressAsync(now.AddHours(2));
        await Rollup(db, now.AddHours(3)).RollUpAsync(default);
        await Rollup(db, now.AddHours(3)).RollUpAsync(default);
        var rolled = Assert.Single(Assert.Single(await ReadAsync(db, MetricStep.Hour, MetricGroup.None)).Points);

        Assert.Equal(4, before.Completed);
        Assert.InRange(before.TimeToFirstTokenP99!.Value, 0.98, 1.02);
        Assert.Equal(before, folded);
        Assert.Equal(before, rolled);
        Assert.Equal(
            1, await CountAsync("SELECT count(*) FROM viral.metric_rollups WHERE tenant_id = $1 AND step = 'hour'"));
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM viral.metric_points WHERE tenant_id = $1"));
    }

    /// <summary>Whether the hours are rolled up or not: both are there, and one of them counts.</summary>
    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task The_last_hour_and_day_are_summed_up_with_their_percentiles(int rolledUpUntil)
    {
        await using var db = postgres.NewDb();
        var now = DateTime.UtcNow;
        var hour = HourOf(now);
        await SetProgressAsync(hour.AddHours(rolledUpUntil), "hour");
        foreach (var (step, old, recent) in new[]
        {
            ("hour", hour.AddHours(-5), HourOf(now.AddMinutes(-30))),
            ("minute", hour.AddHours(-5), now.AddMinutes(-30)),
        })
        {
            await AddRollupAsync(db, step, old, "echo", failed: 1, seconds: 100, queueAge: null);
            await AddRollupAsync(db, step, old, "", failed: 0, seconds: null, queueAge: 9);
            await AddRollupAsync(db, step, recent, "echo", failed: 0, seconds: 20, queueAge: null);
            await AddRollupAsync(db, step, recent, "", failed: 0, seconds: null, queueAge: 7);
        }

        // Not rolled up at all.
        await AddTaskAsync("completed", seconds: 2, inputTokens: 10, cost: 0.25m);

        var totals = await new MetricStore(db).SumAsync(tenant, DateTime.UtcNow, default);

        var (ofHour, ofDay) = (totals.LastHour, totals.LastDay);
        Assert.Equal((2, 0, 0, 0), (ofHour.Finished, ofHour.Failed, ofHour.Retried, ofHour.ErrorRate));
        Assert.Equal((4, 1, 1, 0.25), (ofDay.Finished, ofDay.Failed, ofDay.Retried, ofDay.ErrorRate));
        Assert.Equal((10, 20, 0.25m), (ofDay.InputTokens, ofDay.OutputTokens, ofDay.CostUsd));
        AssertNear(20, ofHour.LatencyP99);
        AssertNear(20, ofDay.LatencyP50);
        AssertNear(100, ofDay.LatencyP99);
        AssertNear(0.5, ofHour.TimeToFirstTokenP50);
        Assert.Equal((7, 9), (ofHour.QueueAgeSeconds, ofDay.QueueAgeSeconds));
        var agent = Assert.Single(totals.Agents);
        Assert.Equal("echo", agent.Group);
        Assert.Equal(ofDay with { QueueAgeSeconds = null }, Assert.Single(agent.Points));
    }

    [Fact]
    public async Task Another_organization_sees_none_of_it()
    {
        await using var db = postgres.NewDb();
        await AddTaskAsync("completed", 1);

        var window = new MetricWindow(
            DateTime.UtcNow.AddHours(-1), DateTime.UtcNow.AddHours(1), MetricStep.Minute, MetricGroup.None, null);
        var stranger = new TenantId(Guid.CreateVersion7());
        Assert.Empty(await new MetricStore(db).ReadAsync(stranger, window, default));
        var totals = await new MetricStore(db).SumAsync(stranger, DateTime.UtcNow, default);
        Assert.Equal((0, 0, 0), (totals.LastHour.Finished, totals.LastDay.Finished, totals.Agents.Count));
    }

    private async Task AddTaskAsync(
        string status, double seconds, long? inputTokens = null, decimal? cost = null, Db? within = null)
    {
        var id = await AddRunningAsync(seconds);
        var used = inputTokens is { } tokens ? new AgentUsage(tokens, 2 * tokens, cost) : null;
        if (status == "completed")
        {
            await using var own = postgres.NewDb();
            await TaskGroupStore.CompleteAsync(
                within ?? own, tenant, [Finished(id, 1, used, TimeSpan.FromSeconds(seconds / 4))], default);
            return;
        }

        await Leases().FailAsync(
            tenant, id, 1, new TaskError("provider", "no", null, 1), 0, used,
            status == "failed" ? null : TimeSpan.FromHours(1), default);
    }

    /// <summary>A task whose attempt began some time ago.</summary>
    private async Task<Guid> AddRunningAsync(double seconds, int attempt = 1, string agent = "echo")
    {
        await using var db = postgres.NewDb();
        var id = Guid.CreateVersion7();
        await db.ExecuteAsync(
            tenant,
            """
            INSERT INTO viral.tasks (
                tenant_id, id, status, agent_id, description, priority, tags, timeout_seconds, max_attempts, created_by,
                created_at, updated_at, started_at, due_at, check_at, last_event, attempt, lease_until)
            VALUES ($1, $2, 'in_progress', $5, 'x', 5, '{}', 60, 3, 'test', now(), now(), now() - $3::interval, now(),
                now(), 3, $4,
                    now() + interval '1 minute')
            """,
            [tenant.Value, id, TimeSpan.FromSeconds(seconds), attempt, agent],
            default);
        return id;
    }

    private static FinishedAttempt Finished(
        Guid id, int attempt, AgentUsage? used = null, TimeSpan? firstToken = null) =>
        new(id, attempt, new TaskAnswer("r", [1], 0, "echo", "stop", firstToken, used));

    private static ItemOutcome Answered(
        int number, string agent, AgentUsage? used, double seconds, double? firstToken) =>
        new(
            number, "completed", new ItemResult("r", null), agent, "stop", null, used, null,
            TimeSpan.FromSeconds(seconds), firstToken is { } first ? TimeSpan.FromSeconds(first) : null);

    /// <summary>Percentiles are off by 2 % at most.</summary>
    private static void AssertNear(double expected, double? actual) =>
        Assert.InRange(actual!.Value, expected * 0.98, expected * 1.02);

    private TaskLeaseStore Leases() => new(postgres.DataSource, new TaskGroups(postgres.DataSource));

    private Task<IReadOnlyList<MetricSeries>> ReadAsync(
        Db db, MetricStep step, MetricGroup group) => new MetricStore(db).ReadAsync(
        tenant, new MetricWindow(DateTime.UtcNow.AddHours(-2), DateTime.UtcNow.AddHours(2), step, group, null),
        default);

    private static MetricRollup Rollup(Db db, DateTime now) => new(db, new FakeTimeProvider(now));

    private static DateTime HourOf(DateTime at) => at.Date.AddHours(at.Hour);

    /// <summary>A completed task and failed ones of an agent, or ('') the queue of the organization.</summary>
    private async Task AddRollupAsync(
        Db db, string step, DateTime at, string agent, int failed, double? seconds, double? queueAge) =>
        await db.ExecuteAsync(
            tenant,
            """
            INSERT INTO viral.metric_rollups (
                tenant_id, step, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
                cost_usd, latencies, latency_count, latency_log_sum, queue_age)
            SELECT $1, $2, $3, $4, '', '', cardinality(latencies) / 2, $5, $5, 0, 0, 0, latencies,
                   cardinality(latencies) / 2, 0, $7::double precision
            FROM (
                SELECT CASE WHEN $6::double precision IS NULL THEN '{}'
                       ELSE ARRAY[viral.latency_bucket($6)::bigint, 1] END AS latencies
            ) AS measured
            """,
            [tenant.Value, step, at, agent, failed, seconds, queueAge],
            default);

    private async Task SetProgressAsync(DateTime until, string name = "minute")
    {
        await using var db = postgres.NewDb();
        await db.ExecuteAsync(
            DbScope.AllTenants, "UPDATE viral.metric_progress SET until = $1 WHERE name = $2", [until, name], default);
    }

    private async Task<long> CountAsync(string sql)
    {
        await using var admin = new NpgsqlConnection(postgres.AdminConnection);
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand(sql, admin) { Parameters = { new() { Value = tenant.Value } } };
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
