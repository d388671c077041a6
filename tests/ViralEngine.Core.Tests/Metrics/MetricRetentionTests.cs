using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Events;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Metrics;

public sealed class MetricRetentionTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private static readonly DateTime Now = new(2026, 6, 1, 12, 0, 0, DateTimeKind.Utc);
    private readonly TenantId tenant = new(Guid.CreateVersion7());

    [Fact]
    public async Task Each_step_is_kept_for_its_days()
    {
        await using var db = postgres.NewDb();
        var options = new MetricsOptions { MinutesDays = 2, HoursDays = 4, DaysDays = 8 };
        foreach (var step in new[] { "minute", "hour", "day" })
            await AddRollupsAsync(db, step, days: 10);

        await NewRollup(db).DeleteOldAsync(options, default);

        Assert.Equal(
            [("day", 8), ("hour", 4), ("minute", 2)],
            await db.QueryAsync(
                tenant,
                "SELECT step, count(*)::integer FROM viral.metric_rollups WHERE tenant_id = $1 "
                + "GROUP BY step ORDER BY step",
                [tenant.Value],
                row => (row.GetString(0), row.GetInt32(1)),
                default));
    }

    [Fact]
    public async Task A_resolved_alert_goes_with_its_events_and_an_open_one_stays()
    {
        await using var db = postgres.NewDb();
        var old = await AddAlertAsync(db, resolved: Now.AddDays(-31));
        var recent = await AddAlertAsync(db, resolved: Now.AddDays(-29));
        var open = await AddAlertAsync(db, resolved: null);

        await NewRollup(db).DeleteOldAsync(new MetricsOptions { AlertsDays = 30 }, default);

        Guid[] kept = [.. new[] { recent, open }.Order()];
        Assert.Equal(kept, await IdsAsync(db, "SELECT id FROM viral.alerts WHERE tenant_id = $1 ORDER BY id"));
        Assert.Equal(
            kept, await IdsAsync(db, "SELECT subject_id FROM viral.events WHERE tenant_id = $1 ORDER BY subject_id"));
        Assert.DoesNotContain(old, kept);
    }

    private static MetricRollup NewRollup(Db db) => new(db, new FakeTimeProvider(new DateTimeOffset(Now)));

    private Task<List<Guid>> IdsAsync(Db db, string sql) =>
        db.QueryAsync(tenant, sql, [tenant.Value], row => row.GetGuid(0), default);

    /// <summary>One a day, the youngest half a day old.</summary>
    private Task<int> AddRollupsAsync(Db db, string step, int days) => db.ExecuteAsync(
        tenant,
        """
        INSERT INTO viral.metric_rollups (
            tenant_id, step, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
            cost_usd, latencies, latency_count, latency_log_sum)
        SELECT $1, $2, $3 - day * interval '1 day' + interval '12 hours', 'echo', 'echo', '', 1, 0, 0, 0, 0, 0, '{1,1}',
               1, 0
        FROM generate_series(1, $4) AS day
        """,
        [tenant.Value, step, Now, days],
        default);

    private async Task<Guid> AddAlertAsync(Db db, DateTime? resolved)
    {
        var id = Guid.CreateVersion7();
        await db.ExecuteAsync(
            tenant,
            $"""
            WITH alert AS (
                INSERT INTO viral.alerts (tenant_id, id, status, summary, opened_at, updated_at, resolved_at,
                    last_event)
                VALUES ($1, $2, CASE WHEN $3::timestamptz IS NULL THEN 'open' ELSE 'resolved' END, 'x', $4, $4, $3, 1)
            )
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            VALUES ($1, $2, 1, '{EventTypes.AlertOpened}', '{"{}"}', $4)
            """,
            [tenant.Value, id, resolved, Now.AddDays(-60)],
            default);
        return id;
    }
}
