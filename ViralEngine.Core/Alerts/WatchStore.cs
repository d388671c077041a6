using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Alerts;

/// <summary>Reads and writes for a minute's detection, for all tenants, inside one transaction.</summary>
internal sealed class WatchStore(Db db)
{
    /// <summary>
    /// The time up to which minutes are evaluated; null if another instance holds the row, which is locked until the
    /// end.
    /// </summary>
    public Task<DateTime?> TakeTurnAsync(CancellationToken ct) => db.QueryOneAsync(
        DbScope.AllTenants,
        "SELECT until FROM viral.metric_progress WHERE name = 'minute' FOR UPDATE SKIP LOCKED",
        [],
        row => (DateTime?)row.GetDateTime(0),
        ct);

    public Task<int> AdvanceAsync(DateTime until, CancellationToken ct) => db.ExecuteAsync(
        DbScope.AllTenants, "UPDATE viral.metric_progress SET until = $1 WHERE name = 'minute'", [until], ct);

    public Task<List<(TenantId Tenant, AlertRule Rule)>> RulesAsync(CancellationToken ct) => db.QueryAsync(
        DbScope.AllTenants,
        $"SELECT tenant_id, {AlertRuleStore.Columns} FROM viral.alert_rules WHERE enabled",
        [],
        row => (new TenantId(row.GetGuid(0)), AlertRuleStore.Read(row, 1)),
        ct);

    /// <summary>The figures of a minute, for each agent and ('') for each whole organization.</summary>
    public async Task<Dictionary<(TenantId Tenant, string Agent), MinuteFigures>> FiguresAsync(
        DateTime minute, CancellationToken ct) =>
        (await db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT tenant_id, COALESCE(agent_id, ''), sum(completed)::bigint, sum(failed)::bigint, sum(cost_usd),
                   sum(latency_count)::bigint,
                   sum(latency_log_sum), max(queue_age)
            FROM viral.metric_rollups
            WHERE step = 'minute' AND at = $1
            GROUP BY GROUPING SETS ((tenant_id), (tenant_id, agent_id))
            HAVING agent_id IS NULL OR agent_id <> ''
            """,
            [minute],
            row => (Key: (new TenantId(row.GetGuid(0)), row.GetString(1)), Figures: ReadFigures(row, 2)),
            ct)).ToDictionary(row => row.Key, row => row.Figures);

    /// <summary>One subject's figures by minute, for a dry run.</summary>
    public Task<List<(DateTime At, MinuteFigures Figures)>> HistoryAsync(
        TenantId tenant, string? agent, DateTime from, DateTime to, CancellationToken ct) => db.QueryAsync(
        tenant,
        """
        SELECT at, sum(completed)::bigint, sum(failed)::bigint, sum(cost_usd), sum(latency_count)::bigint,
               sum(latency_log_sum),
               max(queue_age)
        FROM viral.metric_rollups
        WHERE tenant_id = $1 AND step = 'minute' AND at >= $3 AND at < $4 AND ($2::text IS NULL OR agent_id = $2)
        GROUP BY at
        ORDER BY at
        """,
        [tenant.Value, agent, from, to],
        row => (row.GetDateTime(0), ReadFigures(row, 1)),
        ct);

    public async Task<Dictionary<SeriesKey, byte[]>> StatesAsync(IReadOnlyList<SeriesKey> keys, CancellationToken ct) =>
        (await db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT series.tenant_id, series.metric, series.agent_id, series.mode, series.state
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS asked (tenant_id, metric, agent_id, mode)
            JOIN viral.series_states AS series USING (tenant_id, metric, agent_id, mode)
            """,
            Columns(keys),
            row => (Key: new SeriesKey(
                new TenantId(row.GetGuid(0)), AlertWords.Parse<AlertMetric>(row.GetString(1)), row.GetString(2),
                AlertWords.Parse<AlertMode>(row.GetString(3))), State: row.GetFieldValue<byte[]>(4)),
            ct)).ToDictionary(row => row.Key, row => row.State);

    public Task<int> WriteStatesAsync(
        IReadOnlyList<SeriesKey> keys, IReadOnlyList<byte[]> states, CancellationToken ct) => db.ExecuteAsync(
        DbScope.AllTenants,
        """
        INSERT INTO viral.series_states (tenant_id, metric, agent_id, mode, state)
        SELECT tenant_id, metric, agent_id, mode, state
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[]) AS judged (tenant_id, metric, agent_id,
            mode, state)
        ON CONFLICT (tenant_id, metric, agent_id, mode) DO UPDATE
        SET state = EXCLUDED.state
        """,
        [.. Columns(keys), states.ToArray()],
        ct);

    public Task<List<OpenSeries>> OpenSeriesAsync(CancellationToken ct) => db.QueryAsync(
        DbScope.AllTenants,
        """
        SELECT series.tenant_id, series.alert_id, series.rule_id, series.calm, series.score,
               COALESCE(series.told_score, series.score), alert.muted_until
        FROM viral.alerts AS alert
        JOIN viral.alert_series AS series ON series.tenant_id = alert.tenant_id AND series.alert_id = alert.id
        WHERE alert.status = 'open' AND series.ended_at IS NULL
        """,
        [],
        row => new OpenSeries(
            new TenantId(row.GetGuid(0)), row.GetGuid(1), row.GetGuid(2), row.GetInt32(3), row.GetDouble(4),
            row.GetDouble(5), row.GetDateTimeOrNull(6)),
        ct);

    /// <summary>Updates an open series; keeps the figures of its most unusual minute.</summary>
    /// <param name="told">Whether the alert tells of this minute.</param>
    public Task<int> GoOnAsync(
        OpenSeries open, int calm, SeriesFinding finding, string reason, bool told, CancellationToken ct) =>
        db.ExecuteAsync(
            DbScope.AllTenants,
            """
            UPDATE viral.alert_series
            SET calm = $4, score = CASE WHEN $5 THEN $6 ELSE score END, actual = CASE WHEN $5 THEN $7 ELSE actual END,
                expected = CASE WHEN $5 THEN $8 ELSE expected END, low = CASE WHEN $5 THEN $9 ELSE low END,
                high = CASE WHEN $5 THEN $10 ELSE high END, volume = CASE WHEN $5 THEN $11 ELSE volume END,
                reason = CASE WHEN $5 THEN $12 ELSE reason END,
                told_score = CASE WHEN $13 THEN $6 ELSE COALESCE(told_score, score) END
            WHERE tenant_id = $1 AND alert_id = $2 AND rule_id = $3 AND ended_at IS NULL
            """,
            [
                open.Tenant.Value, open.AlertId, open.RuleId, calm, finding.Score > open.Score, finding.Score,
                finding.Actual, finding.Expected, finding.Low, finding.High, finding.Volume, reason, told,
            ],
            ct);

    /// <summary>Ends a series. True if it was the last of its alert.</summary>
    public Task<bool> EndAsync(OpenSeries open, DateTime at, CancellationToken ct) => db.QueryOneAsync(
        DbScope.AllTenants,
        """
        WITH ended AS (
            UPDATE viral.alert_series
            SET ended_at = $4
            WHERE tenant_id = $1 AND alert_id = $2 AND rule_id = $3 AND ended_at IS NULL
        )
        SELECT NOT EXISTS (
            SELECT
            FROM viral.alert_series
            WHERE tenant_id = $1 AND alert_id = $2 AND rule_id <> $3 AND ended_at IS NULL)
        """,
        [open.Tenant.Value, open.AlertId, open.RuleId, at],
        row => row.GetBoolean(0),
        ct);

    private static object?[] Columns(IReadOnlyList<SeriesKey> keys) =>
    [
        keys.Select(key => key.Tenant.Value).ToArray(),
        keys.Select(key => AlertWords.Of(key.Metric)).ToArray(),
        keys.Select(key => key.Agent).ToArray(),
        keys.Select(key => AlertWords.Of(key.Mode)).ToArray(),
    ];

    private static MinuteFigures ReadFigures(NpgsqlDataReader row, int at) => new(
        row.GetInt64(at),
        row.GetInt64(at + 1),
        row.GetDecimal(at + 2),
        row.GetInt64(at + 3),
        row.GetDouble(at + 4),
        row.GetDoubleOrNull(at + 5));
}

internal readonly record struct SeriesKey(TenantId Tenant, AlertMetric Metric, string Agent, AlertMode Mode);

/// <param name="Score">The score at its most unusual.</param>
/// <param name="ToldScore">The score that its alert told last.</param>
/// <param name="MutedUntil">Its alert's.</param>
internal sealed record OpenSeries(
    TenantId Tenant, Guid AlertId, Guid RuleId, int Calm, double Score, double ToldScore, DateTime? MutedUntil)
{
    /// <summary>An open alert is told again when its score is this many times what was told.</summary>
    private const double MuchWorse = 2;

    /// <summary>Whether this score is a new worst that the alert tells of.</summary>
    public bool Tells(double score, DateTime at) =>
        score > Score && score >= MuchWorse * ToldScore && !(MutedUntil > at);
}
