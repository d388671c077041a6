using Microsoft.Extensions.Time.Testing;
using Npgsql;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Metrics;

public sealed class MetricRecordingTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private readonly TenantId tenant = new(Guid.CreateVersion7());

    [Fact]
    public async Task What_ends_tasks_records_them_by_agent_in_the_same_transaction()
    {
        await using var db = postgres.NewDb();
        await AddTaskAsync("completed", seconds: 2, inputTokens: 10, cost: 0.25m);
        await AddTaskAsync("failed", seconds: 1);
        await AddTaskAsync("pending", seconds: 1);

        var point = Assert.Single(Assert.Single(await ReadAsync(db, MetricStep.Minute, MetricGroup.Agent)).Points);

        Assert.Equal((2, 1, 1, 1), (point.Finished, point.Completed, point.Failed, point.Retried));
        Assert.Equal((0.5, 10, 0.25m), (point.ErrorRate, point.InputTokens, point.CostUsd));
        Assert.InRange(point.LatencyP50!.Value, 2 * 0.98, 2 * 1.02);
        Assert.InRange(point.TimeToFirstTokenP50!.Value, 0.5 * 0.98, 0.5 * 1.02);
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
    public async Task Settled_items_of_a_batch_are_recorded_and_those_that_wait_are_not()
    {
        await using var db = postgres.NewDb();
        var batch = Guid.CreateVersion7();
        await db.ExecuteAsync(
            tenant,
            """
            WITH batch AS (
                INSERT INTO viral.batches (
                    tenant_id, id, name, status, agent_id, concurrency_limit, failure_mode, total_items, created_by, created_at, updated_at,
                    check_at, progress_at)
                VALUES ($1, $2, 'b', 'in_progress', 'echo', 1, 'continue', 5, 'test', now(), now(), now(), now())
            )
            INSERT INTO viral.batch_items (tenant_id, batch_id, number, description)
            SELECT $1, $2, number, 'x'
            FROM generate_series(1, 5) AS number
            """,
            [tenant.Value, batch],
            default);
        await db.ExecuteAsync(
            tenant,
            """
            UPDATE viral.batch_items
            SET status = CASE WHEN number < 3 THEN 'completed' WHEN number = 3 THEN 'failed' ELSE 'pending' END,
                result = CASE WHEN number < 3 THEN 'r' END, output_tokens = CASE WHEN number < 3 THEN 7 END,
                error = CASE WHEN number IN (3, 4) THEN '{}'::jsonb END, completed_at = CASE WHEN number <= 3 THEN now() END
            WHERE tenant_id = $1 AND batch_id = $2
            """,
            [tenant.Value, batch],
            default);

        var series = Assert.Single(await ReadAsync(db, MetricStep.Minute, MetricGroup.Agent));

        Assert.Equal("echo", series.Group);
        var point = Assert.Single(series.Points);
        Assert.Equal((2, 1, 1, 14), (point.Completed, point.Failed, point.Retried, point.OutputTokens));
    }

    [Fact]
    public async Task Folding_and_rolling_up_change_no_figure_and_count_nothing_twice()
    {
        await using var db = postgres.NewDb();
        var now = DateTime.UtcNow;
        foreach (var seconds in new[] { 0.5, 1, 2, 4 })
            await AddTaskAsync("completed", seconds);
        var before = Assert.Single(Assert.Single(await ReadAsync(db, MetricStep.Hour, MetricGroup.None)).Points);

        // Two instances at once, and once more.
        await using var other = postgres.NewDb();
        await Task.WhenAll(Rollup(db, now.AddHours(3)).FoldAsync(now.AddHours(1), default), Rollup(other, now).FoldAsync(now.AddHours(1), default));
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
        Assert.Equal(1, await CountAsync("SELECT count(*) FROM viral.metric_rollups WHERE tenant_id = $1 AND step = 'hour'"));
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM viral.metric_points WHERE tenant_id = $1"));
    }

    [Fact]
    public async Task Another_organization_sees_none_of_it()
    {
        await using var db = postgres.NewDb();
        await AddTaskAsync("completed", 1);

        var window = new MetricWindow(DateTime.UtcNow.AddHours(-1), DateTime.UtcNow.AddHours(1), MetricStep.Minute, MetricGroup.None, null);
        Assert.Empty(await new MetricStore(db).ReadAsync(new TenantId(Guid.CreateVersion7()), window, default));
    }

    private async Task AddTaskAsync(string status, double seconds, long? inputTokens = null, decimal? cost = null, Db? within = null)
    {
        await using var own = postgres.NewDb();
        await (within ?? own).ExecuteAsync(
            tenant,
            """
            WITH task AS (
                INSERT INTO viral.tasks (
                    tenant_id, id, status, agent_id, description, priority, tags, timeout_seconds, max_attempts, created_by, created_at,
                    updated_at, started_at, completed_at, due_at, check_at, last_event, result, error, input_tokens, cost_usd)
                VALUES ($1, $2, $3, 'echo', 'x', 5, '{}', 60, 3, 'test', now(), now(), now() - $4::interval,
                        CASE WHEN $3 <> 'pending' THEN now() END, now(), now(), 2, CASE WHEN $3 = 'completed' THEN 'r' END,
                        CASE WHEN $3 = 'failed' THEN '{}'::jsonb END, $5, $6)
            )
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            VALUES ($1, $2, 2, CASE $3 WHEN 'pending' THEN 'task.retrying' ELSE 'task.' || $3 END,
                    -- What the attempt has used, as the statement that ends one writes it.
                    jsonb_build_object('attempt_usage', jsonb_build_object('input_tokens', $5::bigint, 'cost_usd', $6::numeric))
                    || CASE WHEN $3 = 'completed' THEN jsonb_build_object('time_to_first_token_seconds', $7::double precision) ELSE '{}' END,
                    now())
            """,
            [tenant.Value, Guid.CreateVersion7(), status, TimeSpan.FromSeconds(seconds), inputTokens, cost, seconds / 4],
            default);
    }

    private Task<IReadOnlyList<MetricSeries>> ReadAsync(Db db, MetricStep step, MetricGroup group) => new MetricStore(db).ReadAsync(
        tenant, new MetricWindow(DateTime.UtcNow.AddHours(-2), DateTime.UtcNow.AddHours(2), step, group, null), default);

    private static MetricRollup Rollup(Db db, DateTime now) => new(db, new FakeTimeProvider(now));

    private async Task SetProgressAsync(DateTime minutesUntil)
    {
        await using var db = postgres.NewDb();
        await db.ExecuteAsync(
            DbScope.AllTenants, "UPDATE viral.metric_progress SET until = $1 WHERE name = 'minute'", [minutesUntil], default);
    }

    private async Task<long> CountAsync(string sql)
    {
        await using var admin = new NpgsqlConnection(postgres.AdminConnection);
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand(sql, admin) { Parameters = { new() { Value = tenant.Value } } };
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
