using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Testing.Lists;

/// <summary>
/// A tenant with as many rows behind each list as asked for, one a second until two hours ago. All are alike but the
/// oldest of each kind, which is the one that a rare filter finds.
/// </summary>
public static class ManyRows
{
    private const int AtOnce = 1_000_000;

    /// <summary>A list's table, and how its n-th row is made. $1 is the tenant, $2 the newest row's time.</summary>
    private static readonly string[] Fills =
    [
        """
        INSERT INTO viral.tasks (
            tenant_id, id, status, agent_id, description, priority, tags, timeout_seconds, max_attempts, created_by,
            created_at, updated_at, due_at, completed_at, result)
        SELECT $1, id, 'completed', CASE WHEN rare THEN 'rare' ELSE 'echo' END,
               CASE WHEN rare THEN 'rare' ELSE 'x' END, 5,
               CASE WHEN rare THEN ARRAY['rare', 'common'] ELSE ARRAY['common'] END, 300, 3, 'test', at, at, at, at, 'x'
        FROM made
        """,
        """
        INSERT INTO viral.batches (
            tenant_id, id, name, status, concurrency_limit, failure_mode, total_items, created_by, created_at,
            updated_at, completed_at, check_at, progress_at)
        SELECT $1, id, 'x', 'completed', 10, 'continue', 1, 'test', at, at, at, at, at
        FROM made
        """,
        """
        INSERT INTO viral.workflows (
            tenant_id, id, status, definition, template_id, template_version, created_by, created_at, updated_at,
            completed_at, check_at)
        SELECT $1, id, 'completed', '{}', CASE WHEN rare THEN $1 END, CASE WHEN rare THEN 1 END, 'test', at, at, at, at
        FROM made
        """,
        """
        INSERT INTO viral.approval_gates (
            tenant_id, id, workflow_id, gate_id, run, title, roles, users, quorum, reject_quorum, exclude_requester,
            requested_by, opened_at, on_timeout)
        SELECT $1, id, id, 'ask', 1, 'x', '{}', CASE WHEN rare THEN ARRAY['rare']
               ELSE ARRAY['other'] END, 1, 1, true, 'user:test', at,
               'reject'
        FROM made
        """,
        """
        INSERT INTO viral.webhook_deliveries (
            tenant_id, id, endpoint_id, message_id, event_type, subject_id, number, status, due_at, created_at,
            completed_at)
        SELECT $1, id, $1, $1, CASE WHEN rare THEN 'alert.opened'
               ELSE 'task.completed' END, id, 1, 'delivered', at, at, at
        FROM made
        """,
        """
        INSERT INTO viral.audit_log (tenant_id, id, at, actor, credential, action, target_kind, target_id, request_id)
        SELECT $1, id, at, 'user:1', 'token', 'webhook.changed', 'webhook', 'w', 'r'
        FROM made
        """,
        """
        INSERT INTO viral.agents (tenant_id, id, name, kind, settings, created_by, created_at, updated_at)
        SELECT $1, id, 'agent ' || n, CASE WHEN rare THEN 'openai' ELSE 'echo' END,
               CASE WHEN rare THEN '{"base_url": "https://provider.example/v1", "model": "m"}'::jsonb
                   ELSE '{}'::jsonb END, 'test', at, at
        FROM made
        """,
        """
        INSERT INTO viral.alerts (tenant_id, id, status, summary, opened_at, updated_at, resolved_at)
        SELECT $1, id, CASE WHEN rare THEN 'open' ELSE 'resolved' END, 'x', at, at, CASE WHEN NOT rare THEN at END
        FROM made
        """,
    ];

    /// <param name="now">The rows end two hours before.</param>
    public static async Task FillAsync(string adminConnection, TenantId tenant, int rows, DateTime now)
    {
        await using var admin = new NpgsqlConnection(adminConnection + ";Command Timeout=3600");
        await admin.OpenAsync();
        await ExecuteAsync(
            "INSERT INTO viral.organizations (id, name, plan) VALUES ($1, 'Many rows', 'enterprise')", tenant.Value);
        await ExecuteAsync(
            """
            INSERT INTO viral.webhook_endpoints (tenant_id, id, url, event_types, ordering, created_by)
            VALUES ($1, $1, 'https://receiver.example/', ARRAY['*'], 'none', 'test')
            """,
            tenant.Value);
        await ExecuteAsync(
            "INSERT INTO viral.webhook_messages (tenant_id, id, type, payload, created_at) "
            + "VALUES ($1, $1, 'task.completed', '{}', now())",
            tenant.Value);
        foreach (var fill in Fills)
        {
            for (var first = 1; first <= rows; first += AtOnce)
            {
                await ExecuteAsync(
                    $"""
                    WITH made AS (
                        SELECT n, at, n = $5 AS rare,
                               -- UUID version 7: the time, then what keeps the rows of a millisecond apart.
                               (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
                                   || lpad(to_hex(n % 4096), 3, '0')
                                   || '8000' || lpad(to_hex(n), 12, '0'))::uuid AS id
                        FROM (
                            SELECT n, $2::timestamptz - n * interval '1 second' AS at
                            FROM generate_series($3::integer, $4::integer) AS n
                        ) AS numbered
                    )
                    {fill}
                    """,
                    tenant.Value, now.AddHours(-2), first, Math.Min(first + AtOnce - 1, rows), rows);
            }
        }

        await ExecuteAsync(
            """
            VACUUM (ANALYZE) viral.tasks, viral.task_tags, viral.batches, viral.workflows, viral.approval_gates,
                viral.approval_asks, viral.webhook_deliveries, viral.audit_log, viral.agents, viral.alerts
            """);

        async Task ExecuteAsync(string sql, params object[] args)
        {
            await using var command = new NpgsqlCommand(sql, admin);
            foreach (var arg in args)
                command.Parameters.Add(new() { Value = arg });
            await command.ExecuteNonQueryAsync();
        }
    }
}
