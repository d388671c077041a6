using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Console.Tests;

/// <summary>An open alert of the error rate, with the hours before it.</summary>
internal static class Incident
{
    public static async Task<Guid> AddAsync(
        TestPostgres postgres, TestTenant tenant, string summary = "The error rate is too high.")
    {
        var alert = Guid.CreateVersion7();
        var rule = Guid.Parse((await tenant.Owner.ListAsync("/api/alert-rules", "alert_rules"))
            .Single(each => each.GetProperty("metric").GetString() == "error_rate").GetProperty("id").GetString()!);
        await using var source = NpgsqlDataSource.Create(postgres.AdminConnection);
        await using (var points = source.CreateCommand(
            """
            INSERT INTO viral.metric_points (
                tenant_id, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
                cost_usd, latencies, latency_log_sum)
            SELECT $1, date_trunc('minute', now()) - minute * interval '1 minute', 'echo', 'echo', '', 40 + minute % 17,
                   CASE WHEN minute < 20 THEN 12 + minute % 5
                       ELSE minute % 3 END, 0, 4000, 900, 0.02, ARRAY[10, 20, 30 + minute % 7], 1
            FROM generate_series(0, 140) AS minute
            """))
        {
            points.Parameters.Add(new NpgsqlParameter { Value = tenant.Id });
            await points.ExecuteNonQueryAsync();
        }

        await using var batch = source.CreateBatch();
        batch.BatchCommands.Add(Command(
            """
            INSERT INTO viral.alerts (tenant_id, id, status, summary, opened_at, updated_at)
            VALUES ($1, $2, 'open', $3, now() - interval '18 minutes', now())
            """, tenant.Id, alert, summary));
        batch.BatchCommands.Add(Command(
            """
            INSERT INTO viral.alert_series (
                tenant_id, alert_id, rule_id, metric, agent_id, opened_at, score, threshold, direction, actual,
                expected, low, high, volume, reason)
            VALUES ($1, $2, $3, 'error_rate', '', now() - interval '18 minutes', 31, 12, 'above', 0.24, 0.03, 0.005,
                0.07, 480, $4)
            """, tenant.Id, alert, rule, summary));
        await batch.ExecuteNonQueryAsync();
        return alert;
    }

    private static NpgsqlBatchCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
