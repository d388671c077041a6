using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Metrics;

/// <summary>
/// Reads metrics: from the rollups, for newer ones from the minutes, and for the newest from the records.
/// </summary>
public sealed class MetricStore(Db db)
{
    /// <summary>The series of a window by group; steps without activity have no point.</summary>
    public async Task<IReadOnlyList<MetricSeries>> ReadAsync(TenantId tenant, MetricWindow window, CancellationToken ct)
    {
        var rows = await db.QueryAsync(
            tenant,
            """
            WITH progress AS (
                SELECT max(until) FILTER (WHERE name = 'hour') AS hours, max(until) FILTER (WHERE name = 'day') AS days
                FROM viral.metric_progress
            ), rolled AS (
                SELECT rollup.at, rollup.agent_id, rollup.provider, rollup.model, rollup.completed, rollup.failed,
                       rollup.retried, rollup.input_tokens, rollup.output_tokens, rollup.cost_usd, rollup.latencies,
                       rollup.first_tokens, rollup.queue_age
                FROM viral.metric_rollups AS rollup, progress
                WHERE rollup.tenant_id = $1 AND rollup.at >= $2 AND rollup.at < $3
                  AND ((rollup.step = 'minute' AND rollup.at >= CASE $4 WHEN 'minute' THEN $2 ELSE progress.hours END)
                    OR (rollup.step = 'hour' AND $4 <> 'minute' AND rollup.at < progress.hours
                        AND ($4 = 'hour' OR rollup.at >= progress.days))
                    OR (rollup.step = 'day' AND $4 = 'day' AND rollup.at < progress.days))
                UNION ALL
                SELECT point.at, point.agent_id, point.provider, point.model, point.completed, point.failed,
                       point.retried, point.input_tokens, point.output_tokens, point.cost_usd,
                       viral.histogram_of(point.latencies), viral.histogram_of(point.first_tokens), NULL
                FROM viral.metric_points AS point
                WHERE point.tenant_id = $1 AND point.at >= $2 AND point.at < $3
            )
            SELECT date_trunc($4, at, 'UTC'),
                   CASE $5 WHEN 'agent' THEN agent_id WHEN 'provider' THEN provider WHEN 'model' THEN model END,
                   completed, failed, retried, input_tokens, output_tokens, cost_usd, latencies, first_tokens, queue_age
            FROM rolled
            WHERE ($6::text IS NULL OR agent_id = $6) AND ($5 = 'none' OR agent_id <> '')
            ORDER BY 2, 1
            """,
            [tenant.Value, window.From, window.To, Word(window.Step), Word(window.Group), window.AgentId],
            Read,
            ct);
        return
        [
            .. rows.GroupBy(row => row.Group).Select(group => new MetricSeries(
                group.Key, [.. group.GroupBy(row => row.At).Select(step => Sum(step.Key, [.. step]))])),
        ];
    }

    /// <summary>Sums of the last hour and day, and of the last day by agent, in one read.</summary>
    public async Task<MetricTotals> SumAsync(TenantId tenant, DateTime now, CancellationToken ct)
    {
        var (day, hour) = (now.AddDays(-1), now.AddHours(-1));
        var rows = await db.QueryAsync(
            tenant,
            """
            WITH progress AS (
                SELECT max(until) AS hours
                FROM viral.metric_progress
                WHERE name = 'hour'
            ), rolled AS (
                -- Minutes of the last hour, and those that are in no hour yet: only the latter count for the day.
                SELECT rollup.at, rollup.agent_id, rollup.completed, rollup.failed, rollup.retried, rollup.input_tokens,
                       rollup.output_tokens, rollup.cost_usd, rollup.latencies, rollup.first_tokens, rollup.queue_age,
                       rollup.at >= $3 AS in_hour, rollup.at >= progress.hours AS in_day
                FROM viral.metric_rollups AS rollup, progress
                WHERE rollup.tenant_id = $1 AND rollup.step = 'minute'
                  AND rollup.at >= GREATEST($2, LEAST($3, progress.hours)) AND rollup.at < $4
                UNION ALL
                SELECT rollup.at, rollup.agent_id, rollup.completed, rollup.failed, rollup.retried, rollup.input_tokens,
                       rollup.output_tokens, rollup.cost_usd, rollup.latencies, rollup.first_tokens, rollup.queue_age,
                       false, true
                FROM viral.metric_rollups AS rollup, progress
                WHERE rollup.tenant_id = $1 AND rollup.step = 'hour'
                  AND rollup.at >= $2 AND rollup.at < LEAST($4, progress.hours)
                UNION ALL
                SELECT point.at, point.agent_id, point.completed, point.failed, point.retried, point.input_tokens,
                       point.output_tokens, point.cost_usd, viral.histogram_of(point.latencies),
                       viral.histogram_of(point.first_tokens), NULL, point.at >= $3, true
                FROM viral.metric_points AS point
                WHERE point.tenant_id = $1 AND point.at >= $2 AND point.at < $4
            )
            SELECT at, agent_id, completed, failed, retried, input_tokens, output_tokens, cost_usd, latencies,
                   first_tokens, queue_age, in_hour, in_day
            FROM rolled
            ORDER BY agent_id
            """,
            [tenant.Value, day, hour, now.AddMinutes(1)],
            row => (Row: Read(row), InHour: row.GetBoolean(11), InDay: row.GetBoolean(12)),
            ct);
        var ofDay = rows.Where(each => each.InDay).Select(each => each.Row).ToList();
        return new MetricTotals(
            Sum(hour, [.. rows.Where(each => each.InHour).Select(each => each.Row)]),
            Sum(day, ofDay),
            [
                .. ofDay.Where(row => row.Group is { Length: > 0 }).GroupBy(row => row.Group)
                    .Select(agent => new MetricSeries(agent.Key, [Sum(day, [.. agent])])),
            ]);
    }

    private static string Word(Enum value) => value.ToString().ToLowerInvariant();

    private static Row Read(NpgsqlDataReader row) => new(
        row.GetDateTime(0),
        row.GetStringOrNull(1),
        row.GetInt64(2),
        row.GetInt64(3),
        row.GetInt64(4),
        row.GetInt64(5),
        row.GetInt64(6),
        row.GetDecimal(7),
        row.GetFieldValue<long[]>(8),
        row.GetFieldValue<long[]>(9),
        row.GetDoubleOrNull(10));

    private static MetricPoint Sum(DateTime at, IReadOnlyList<Row> rows)
    {
        var latency = LatencyHistogram.Of(rows.Select(row => row.Latencies));
        var firstToken = LatencyHistogram.Of(rows.Select(row => row.FirstTokens));
        var (completed, failed) = (rows.Sum(row => row.Completed), rows.Sum(row => row.Failed));
        return new MetricPoint(
            at,
            completed + failed,
            completed,
            failed,
            rows.Sum(row => row.Retried),
            completed + failed == 0 ? null : Math.Round((double)failed / (completed + failed), 6),
            latency.Quantile(0.5),
            latency.Quantile(0.95),
            latency.Quantile(0.99),
            firstToken.Quantile(0.5),
            firstToken.Quantile(0.95),
            firstToken.Quantile(0.99),
            rows.Sum(row => row.CostUsd),
            rows.Sum(row => row.InputTokens),
            rows.Sum(row => row.OutputTokens),
            rows.Max(row => row.QueueAge));
    }

    private sealed record Row(
        DateTime At,
        string? Group,
        long Completed,
        long Failed,
        long Retried,
        long InputTokens,
        long OutputTokens,
        decimal CostUsd,
        long[] Latencies,
        long[] FirstTokens,
        double? QueueAge);
}
