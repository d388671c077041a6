using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Metrics;

/// <summary>
/// Rolls recorded metrics up into minutes, hours and days, for all tenants, and deletes those past their retention.
/// </summary>
public sealed class MetricRollup(Db db, TimeProvider time)
{
    private const int MaxDeleted = 20_000;

    /// <summary>
    /// Rolls up what was recorded before a time. Late records of a minute are added when they arrive.
    /// </summary>
    public Task FoldAsync(DateTime before, CancellationToken ct) => db.ExecuteAsync(
        DbScope.AllTenants,
        """
        WITH taken AS (
            DELETE FROM viral.metric_points
            WHERE at < $1
            RETURNING tenant_id, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
                cost_usd,
                      latencies, latency_log_sum, first_tokens
        ), total AS (
            SELECT tenant_id, at, agent_id, provider, model, sum(completed) AS completed, sum(failed) AS failed,
                   sum(retried) AS retried, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
                   sum(cost_usd) AS cost_usd, sum(cardinality(latencies)) AS latency_count,
                   sum(latency_log_sum) AS latency_log_sum
            FROM taken
            GROUP BY tenant_id, at, agent_id, provider, model
        ), counted AS (
            SELECT tenant_id, at, agent_id, provider, model, duration, bucket, count(*) AS count
            FROM taken
            CROSS JOIN LATERAL (
                SELECT 'latency', unnest(latencies)
                UNION ALL
                SELECT 'first_token', unnest(first_tokens)
            ) AS measured (duration, bucket)
            GROUP BY tenant_id, at, agent_id, provider, model, duration, bucket
        ), histogram AS (
            SELECT tenant_id, at, agent_id, provider, model,
                   array_agg(part.value ORDER BY bucket, part.place) FILTER (WHERE duration = 'latency') AS latencies,
                   array_agg(part.value ORDER BY bucket,
                       part.place) FILTER (WHERE duration = 'first_token') AS first_tokens
            FROM counted
            CROSS JOIN LATERAL (VALUES (1, bucket::bigint), (2, count)) AS part (place, value)
            GROUP BY tenant_id, at, agent_id, provider, model
        )
        INSERT INTO viral.metric_rollups AS rollup (
            tenant_id, step, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
            cost_usd, latencies, latency_count, latency_log_sum, first_tokens)
        SELECT tenant_id, 'minute', at, agent_id, provider, model, completed, failed, retried, input_tokens,
               output_tokens, cost_usd,
               COALESCE(latencies, '{}'), latency_count, latency_log_sum, COALESCE(first_tokens, '{}')
        FROM total
        LEFT JOIN histogram USING (tenant_id, at, agent_id, provider, model)
        ON CONFLICT (tenant_id, step, at, agent_id, provider, model) DO UPDATE
        SET completed = rollup.completed + EXCLUDED.completed, failed = rollup.failed + EXCLUDED.failed,
            retried = rollup.retried + EXCLUDED.retried, input_tokens = rollup.input_tokens + EXCLUDED.input_tokens,
            output_tokens = rollup.output_tokens + EXCLUDED.output_tokens,
            cost_usd = rollup.cost_usd + EXCLUDED.cost_usd,
            latencies = viral.add_histograms(rollup.latencies, EXCLUDED.latencies),
            latency_count = rollup.latency_count + EXCLUDED.latency_count,
            latency_log_sum = rollup.latency_log_sum + EXCLUDED.latency_log_sum,
            first_tokens = viral.add_histograms(rollup.first_tokens, EXCLUDED.first_tokens)
        """,
        [before],
        ct);

    /// <summary>Records how long each tenant's oldest due task has waited at this minute.</summary>
    public Task MeasureQueuesAsync(DateTime minute, CancellationToken ct) => db.ExecuteAsync(
        DbScope.AllTenants,
        """
        INSERT INTO viral.metric_rollups (
            tenant_id, step, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
            cost_usd, latencies, latency_count, latency_log_sum, queue_age)
        SELECT tenant_id, 'minute', $1, '', '', '', 0, 0, 0, 0, 0, 0, '{}', 0, 0,
               extract(epoch FROM $2::timestamptz - min(due_at))
        FROM viral.tasks
        WHERE status = 'pending' AND due_at <= $2
        GROUP BY tenant_id
        ON CONFLICT (tenant_id, step, at, agent_id, provider, model) DO UPDATE
        SET queue_age = EXCLUDED.queue_age
        """,
        [minute, time.GetUtcNow().UtcDateTime],
        ct);

    /// <summary>Rolls up the hours that are over, then the days.</summary>
    public async Task RollUpAsync(CancellationToken ct)
    {
        await RollUpAsync("hour", "minute", TimeSpan.FromHours(1), ct);
        await RollUpAsync("day", "hour", TimeSpan.FromDays(1), ct);
    }

    public async Task DeleteOldAsync(MetricsOptions options, CancellationToken ct)
    {
        var now = time.GetUtcNow().UtcDateTime;
        foreach (var (step, days) in
            new[] { ("minute", options.MinutesDays), ("hour", options.HoursDays), ("day", options.DaysDays) })
        {
            while (await db.ExecuteAsync(
                DbScope.AllTenants,
                """
                DELETE FROM viral.metric_rollups
                WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM viral.metric_rollups WHERE step = $1 AND at < $2 LIMIT $3))
                """,
                [step, now - TimeSpan.FromDays(days), MaxDeleted],
                ct) == MaxDeleted)
            {
            }
        }

        while (await db.QueryOneAsync(
            DbScope.AllTenants,
            """
            WITH gone AS (
                DELETE FROM viral.alerts
                WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM viral.alerts WHERE status = 'resolved' AND resolved_at < $1 LIMIT $2))
                RETURNING tenant_id, id
            ), events AS (
                DELETE FROM viral.events AS event
                USING gone
                WHERE event.tenant_id = gone.tenant_id AND event.subject_id = gone.id
            )
            SELECT count(*)::integer
            FROM gone
            """,
            [now - TimeSpan.FromDays(options.AlertsDays), MaxDeleted],
            row => row.GetInt32(0),
            ct) == MaxDeleted)
        {
        }
    }

    private async Task RollUpAsync(string step, string from, TimeSpan length, CancellationToken ct)
    {
        // Ten minutes later, late records have arrived.
        var end = time.GetUtcNow().UtcDateTime - TimeSpan.FromMinutes(10);
        while (await db.QueryOneAsync(
            DbScope.AllTenants,
            """
            WITH next AS (
                UPDATE viral.metric_progress AS own
                SET until = own.until + $3::interval
                FROM viral.metric_progress AS source
                WHERE own.name = $1 AND source.name = $2 AND own.until + $3 <= LEAST(source.until, $4)
                RETURNING own.until - $3::interval AS first, own.until
            ), stored AS (
                INSERT INTO viral.metric_rollups AS rollup (
                    tenant_id, step, at, agent_id, provider, model, completed, failed, retried, input_tokens,
                    output_tokens, cost_usd, latencies, latency_count, latency_log_sum, first_tokens, queue_age)
                SELECT part.tenant_id, $1, next.first, part.agent_id, part.provider, part.model, sum(part.completed),
                       sum(part.failed),
                       sum(part.retried), sum(part.input_tokens), sum(part.output_tokens), sum(part.cost_usd),
                       viral.sum_histograms(part.latencies), sum(part.latency_count), sum(part.latency_log_sum),
                       viral.sum_histograms(part.first_tokens), max(part.queue_age)
                FROM next
                JOIN viral.metric_rollups AS part ON part.step = $2 AND part.at >= next.first AND part.at < next.until
                GROUP BY part.tenant_id, next.first, part.agent_id, part.provider, part.model
                ON CONFLICT (tenant_id, step, at, agent_id, provider, model) DO UPDATE
                SET completed = EXCLUDED.completed, failed = EXCLUDED.failed, retried = EXCLUDED.retried,
                    input_tokens = EXCLUDED.input_tokens, output_tokens = EXCLUDED.output_tokens,
                    cost_usd = EXCLUDED.cost_usd,
                    latencies = EXCLUDED.latencies, latency_count = EXCLUDED.latency_count,
                    latency_log_sum = EXCLUDED.latency_log_sum, first_tokens = EXCLUDED.first_tokens,
                    queue_age = EXCLUDED.queue_age
            )
            SELECT true
            FROM next
            """,
            [step, from, length, end],
            row => row.GetBoolean(0),
            ct))
        {
        }
    }
}
