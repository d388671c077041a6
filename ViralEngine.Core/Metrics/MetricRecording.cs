namespace ViralEngine.Core.Metrics;

/// <summary>How a statement that ends attempts records them, in the same transaction and round trip.</summary>
internal static class MetricRecording
{
    /// <summary>
    /// A CTE that adds a row for each agent of the CTE <c>attempts</c>, whose columns are named as those of the table
    /// and sum up what the statement ended. <c>$1</c> is the tenant. Rows are only added: nobody who ends work waits
    /// for another's, and a timer sums them up.
    /// </summary>
    public const string Added =
        """
        recorded AS (
            INSERT INTO viral.metric_points (
                tenant_id, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
                cost_usd, latencies, latency_log_sum, first_tokens)
            SELECT $1, date_trunc('minute', now()), attempts.agent_id, COALESCE(agent.kind, attempts.agent_id),
                   COALESCE(agent.model, ''), attempts.completed, attempts.failed, attempts.retried,
                   attempts.input_tokens, attempts.output_tokens, attempts.cost_usd, attempts.latencies,
                   attempts.latency_log_sum, attempts.first_tokens
            FROM attempts
            LEFT JOIN LATERAL (
                SELECT agents.kind, agents.settings ->> 'model' AS model
                FROM viral.agents
                WHERE agents.tenant_id = $1
                  AND agents.id = CASE WHEN length(attempts.agent_id) = 36 THEN attempts.agent_id::uuid END
                LIMIT 1
            ) AS agent ON true
        )
        """;

    /// <summary>The columns of <c>attempts</c> where nothing was measured in time.</summary>
    public const string NoTimes = "'{}'::integer[] AS latencies, 0 AS latency_log_sum, '{}'::integer[] AS first_tokens";
}
