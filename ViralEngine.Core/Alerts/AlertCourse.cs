using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Events;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Alerts;

/// <summary>
/// The course of an alert: it opens with a series, others of the same agent or the same half hour join it, and it is
/// resolved when all series have recovered, or manually. Each step is an event for webhooks, and so is a series that
/// gets much worse; a rule's action is audited, and undone with the alert. Must be called inside a transaction.
/// </summary>
public sealed class AlertCourse(Db db, AuditStore audit)
{
    /// <summary>Series that start further apart belong to different alerts.</summary>
    private static readonly TimeSpan Together = TimeSpan.FromMinutes(30);

    /// <summary>Opens an alert for a series, or adds the series to an open alert.</summary>
    internal async Task OpenAsync(
        TenantId tenant, AlertRule rule, SeriesFinding finding, DateTime at, CancellationToken ct)
    {
        var agent = rule.AgentId ?? "";
        var reason = AlertWords.Reason(rule.Metric, agent, finding);
        var joined = await db.QueryOneAsync(
            tenant,
            """
            SELECT alert.id
            FROM viral.alerts AS alert
            JOIN viral.alert_series AS series ON series.tenant_id = alert.tenant_id AND series.alert_id = alert.id
            WHERE alert.tenant_id = $1 AND alert.status = 'open'
                AND (series.agent_id = $2 AND $2 <> '' OR series.opened_at > $3)
            ORDER BY alert.id DESC
            LIMIT 1
            """,
            [tenant.Value, agent, at - Together],
            row => (Guid?)row.GetGuid(0),
            ct);
        var id = joined ?? RowId.New();
        var action = rule.Action is { } asked ? AlertWords.Of(asked) : null;
        await db.ExecuteAsync(
            tenant,
            """
            WITH opened AS (
                INSERT INTO viral.alerts (tenant_id, id, status, summary, opened_at, updated_at)
                SELECT $1, $2, 'open', $3, $4, $4
                WHERE NOT $5
            )
            INSERT INTO viral.alert_series (
                tenant_id, alert_id, rule_id, metric, agent_id, action, opened_at, score, threshold, direction, actual,
                expected, low, high, volume, reason, told_score)
            VALUES ($1, $2, $6, $7, $8, $9, $4, $10, $11, $12, $13, $14, $15, $16, $17, $3, $10)
            ON CONFLICT (tenant_id, alert_id, rule_id, metric, agent_id) DO UPDATE
            SET ended_at = NULL, calm = 0, score = EXCLUDED.score, direction = EXCLUDED.direction,
                actual = EXCLUDED.actual,
                expected = EXCLUDED.expected, low = EXCLUDED.low, high = EXCLUDED.high, volume = EXCLUDED.volume,
                reason = EXCLUDED.reason, told_score = EXCLUDED.told_score
            """,
            [
                tenant.Value, id, reason, at, joined is not null, rule.Id, AlertWords.Of(rule.Metric), agent, action,
                finding.Score, finding.Threshold, finding.Direction < 0 ? "below" : "above", finding.Actual,
                finding.Expected, finding.Low, finding.High, finding.Volume,
            ],
            ct);
        if (action is not null)
            await ActAsync(tenant, id, rule, action, at, ct);
        await TellAsync(tenant, id, joined is null ? EventTypes.AlertOpened : EventTypes.AlertUpdated, null, at, ct);
    }

    /// <summary>Tells that a series of an open alert is much worse than was told.</summary>
    /// <param name="reason">The alert's new summary.</param>
    internal Task WorsenAsync(TenantId tenant, Guid id, string reason, DateTime at, CancellationToken ct) =>
        TellAsync(tenant, id, EventTypes.AlertUpdated, reason, at, ct);

    /// <summary>
    /// Resolves an alert, because all series have recovered or a user asked to. False if it was not open.
    /// </summary>
    internal async Task<bool> ResolveAsync(TenantId tenant, Guid id, string by, DateTime at, CancellationToken ct)
    {
        var resolved = await db.ExecuteAsync(
            tenant,
            """
            WITH resolved AS (
                UPDATE viral.alerts
                SET status = 'resolved', resolved_at = $4, resolved_by = $3, updated_at = $4
                WHERE tenant_id = $1 AND id = $2 AND status = 'open'
                RETURNING id
            )
            UPDATE viral.alert_series
            SET ended_at = COALESCE(ended_at, $4)
            WHERE tenant_id = $1 AND alert_id = (SELECT id FROM resolved)
            """,
            [tenant.Value, id, by, at],
            ct) > 0;
        if (!resolved)
            return false;
        var undone = await db.QueryAsync(
            tenant,
            "DELETE FROM viral.agent_restraints WHERE tenant_id = $1 AND alert_id = $2 RETURNING agent_id, action",
            [tenant.Value, id],
            row => (Agent: row.GetString(0), Action: row.GetString(1)),
            ct);
        foreach (var (agent, action) in undone)
            await AuditAsync(tenant, id, $"agent.{action}_undone", agent, null, ct);
        await TellAsync(tenant, id, EventTypes.AlertResolved, null, at, ct);
        return true;
    }

    /// <summary>
    /// Half of the agent's declared concurrency; without one, half of its concurrency in the busiest minute of the last
    /// hour (Little's law) or of what its running batches may use.
    /// </summary>
    private async Task ActAsync(
        TenantId tenant, Guid id, AlertRule rule, string action, DateTime at, CancellationToken ct)
    {
        var taken = await db.QueryAsync(
            tenant,
            """
            WITH busiest AS (
                SELECT sum($6::double precision * power($7::double precision, rollup.latencies[place])
                       * rollup.latencies[place + 1]) / 60 AS calls
                FROM viral.metric_rollups AS rollup
                CROSS JOIN LATERAL generate_series(1, cardinality(rollup.latencies) - 1, 2) AS place
                WHERE rollup.tenant_id = $1 AND rollup.step = 'minute'
                    AND rollup.at >= $5::timestamptz - interval '1 hour'
                  AND rollup.at < $5 AND rollup.agent_id = $2
                GROUP BY rollup.at
                ORDER BY 1 DESC
                LIMIT 1
            ), allowed AS (
                SELECT COALESCE(
                    (SELECT (settings ->> 'max_concurrency')::integer FROM viral.agents WHERE tenant_id = $1
                        AND id = $2::uuid),
                    GREATEST(
                        (SELECT ceil(calls) FROM busiest),
                        (SELECT max(concurrency_limit) FROM viral.batches
                         WHERE tenant_id = $1 AND agent_id = $2 AND status = 'in_progress'))) AS calls
            )
            INSERT INTO viral.agent_restraints (tenant_id, agent_id, action, alert_id, max_concurrency)
            SELECT $1, $2, $3, $4, CASE $3 WHEN 'halve_concurrency'
                   THEN GREATEST(1, floor(COALESCE(calls, 1) / 2))::integer END
            FROM allowed
            ON CONFLICT DO NOTHING
            RETURNING max_concurrency
            """,
            [tenant.Value, rule.AgentId, action, id, at, LatencyHistogram.Least, LatencyHistogram.Base],
            row => row.GetInt32OrNull(0),
            ct);
        foreach (var most in taken)
            await AuditAsync(tenant, id, $"agent.{action}", rule.AgentId!, most, ct);
    }

    private Task AuditAsync(
        TenantId tenant, Guid alert, string action, string agent, int? maxConcurrency, CancellationToken ct)
    {
        var after = new JsonObject { ["alert_id"] = alert.ToString() };
        if (maxConcurrency is not null)
            after["max_concurrency"] = maxConcurrency;
        return audit.AddAsync(
            tenant,
            new NewAuditEntry(
                Actor: "alert-rule", Role: null, Credential: "rule", Subject: null, Action: action, TargetKind: "agent",
                TargetId: agent,
                Ip: null, UserAgent: null, RequestId: alert.ToString(), BeforeJson: null,
                AfterJson: JsonSerializer.Serialize(after)),
            ct);
    }

    /// <summary>For a muted alert, only the resolution is announced.</summary>
    /// <param name="summary">Null if it stays as it is.</param>
    private Task<int> TellAsync(
        TenantId tenant, Guid id, string type, string? summary, DateTime at, CancellationToken ct) => db.ExecuteAsync(
        tenant,
        """
        WITH told AS (
            UPDATE viral.alerts
            SET last_event = last_event + 1, updated_at = $4, summary = COALESCE($5::text, summary)
            WHERE tenant_id = $1 AND id = $2 AND (muted_until IS NULL OR muted_until <= $4 OR status = 'resolved')
            RETURNING tenant_id, id, last_event, status, summary, opened_at, resolved_at
        )
        INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
        SELECT told.tenant_id, told.id, told.last_event, $3,
               jsonb_strip_nulls(jsonb_build_object(
                   'alert_id', told.id, 'status', told.status, 'summary', told.summary, 'opened_at', told.opened_at,
                   'resolved_at', told.resolved_at,
                   'series', (
                       SELECT jsonb_agg(jsonb_build_object(
                           'metric', series.metric, 'agent_id', NULLIF(series.agent_id, ''), 'actual', series.actual,
                           'expected', series.expected, 'low', series.low, 'high', series.high, 'reason', series.reason,
                           'action', series.action))
                       FROM viral.alert_series AS series
                       WHERE series.tenant_id = told.tenant_id AND series.alert_id = told.id))),
               now()
        FROM told
        """,
        [tenant.Value, id, type, at, summary],
        ct);
}
