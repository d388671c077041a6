using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Storage;

/// <summary>
/// A thousand organizations with a million tasks, a million deliveries, a million gates that ask one person, and one
/// running batch of a million items. The last has half of all, the others with an odd number a thousand each. Four in a
/// hundred of the tasks and deliveries wait: twenty thousand of the last, and all of every 50th from the first. A
/// quarter of these is for tomorrow, and two hundred are leased.
/// </summary>
public sealed class LargeDatabase : IAsyncLifetime
{
    /// <summary>
    /// A prepared statement gets a plan for its arguments, or one for all arguments: whichever seems cheaper at the
    /// time.
    /// </summary>
    public static readonly string[] PlanKinds = ["custom", "generic"];

    private const string Numbered =
        """
        WITH made AS (
            SELECT id(CASE WHEN n % 2 = 0 THEN n % 1000 + 1 ELSE 1000 END) AS tenant_id, id(n) AS id,
                   now() - (1001000 - n) * interval '1 second' AS at, n % 25 = 0 AS open, n % 125 = 25
                       AND k > 975 AS leased,
                   n % 250 = 0 AS off, k % 4 = 0 AS later, k % 50 = 0 AS rare
            FROM (SELECT n, n / 1000 AS k FROM generate_series(1000, 1000999) AS n) AS numbered
        )
        """;

    /// <summary>What is stored at the same time, each on a connection of its own.</summary>
    private static readonly Fill[] Fills =
    [
        new(["viral.tasks", "viral.task_tags", "viral.events"], [
            $$"""
            {{Numbered}}
            INSERT INTO viral.tasks (
                tenant_id, id, status, agent_id, description, priority, tags, timeout_seconds, max_attempts, created_by,
                created_at, updated_at, due_at, ready, attempt, lease_until, completed_at, result, error)
            SELECT tenant_id, id,
                   CASE WHEN leased THEN 'in_progress' WHEN open THEN 'pending' WHEN rare THEN 'failed'
                       ELSE 'completed' END, 'echo', 'x', 5,
                   '{}', 300, 3, 'test', at, at, CASE WHEN open AND later THEN now() + interval '1 day' ELSE at END,
                   NOT (open AND later) OR leased, 1, CASE WHEN leased THEN now() + interval '1 day' END, CASE
                       WHEN NOT open THEN at END,
                   CASE WHEN NOT open AND NOT rare THEN 'x' END, CASE WHEN NOT open AND rare THEN '{}'::jsonb END
            FROM made
            """,
            $$"""
            {{Numbered}}
            INSERT INTO viral.task_tags (tenant_id, tag, task_id) SELECT tenant_id, 'tag', id FROM made WHERE rare
            """,
            $$"""
            {{Numbered}}
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            SELECT tenant_id, id, 1, 'task.created', '{}', at FROM made
            """,
        ]),
        new([
            "viral.webhook_endpoints", "viral.webhook_secrets", "viral.webhook_messages", "viral.webhook_deliveries"
        ], [
            """
            INSERT INTO viral.webhook_endpoints (
                tenant_id, id, url, event_types, ordering, enabled, disabled_reason, disabled_at, pace, created_by)
            SELECT id(n + 1), id(n + 1), 'https://receiver.example/', ARRAY['*'], CASE WHEN n % 100 = 0 THEN 'none'
                   ELSE 'per_object' END,
                   NOT off, CASE WHEN off THEN 'user' END, CASE WHEN off THEN now() END, CASE WHEN n % 75 <> 0
                       THEN 'fast' END, 'test'
            FROM (SELECT n, n % 250 = 0 AS off FROM generate_series(0, 999) AS n) AS numbered
            """,
            "INSERT INTO viral.webhook_secrets (tenant_id, endpoint_id, id, secret) "
            + "SELECT tenant_id, id, id, '' FROM viral.webhook_endpoints",
            $$"""
            {{Numbered}}
            INSERT INTO viral.webhook_messages (tenant_id, id, type, payload, created_at)
            SELECT tenant_id, id, 'task.completed', '{}', at FROM made
            """,
            $$"""
            {{Numbered}}
            INSERT INTO viral.webhook_deliveries (
                tenant_id, id, endpoint_id, message_id, event_type, subject_id, number, status, due_at, leased,
                attempts, created_at, completed_at)
            SELECT tenant_id, id, tenant_id, id, 'task.completed', id, 1,
                   CASE WHEN open THEN 'pending' WHEN rare THEN 'failed' ELSE 'delivered' END,
                   CASE WHEN open AND off THEN 'infinity' WHEN open AND (later OR leased) THEN now() + interval '1 day'
                       ELSE at END,
                   leased, 1, at, CASE WHEN NOT open THEN at END
            FROM made
            """,
        ]),
        new([
            "viral.batches", "viral.batch_items", "viral.batch_slices", "viral.workflows", "viral.workflow_steps",
            "viral.approval_gates", "viral.approval_asks", "viral.metric_points", "viral.metric_rollups",
        ], [
            """
            INSERT INTO viral.batches (
                tenant_id, id, name, status, concurrency_limit, failure_mode, total_items, created_by, created_at,
                updated_at, started_at, completed_at, check_at, progress_at)
            SELECT id(n % 1000 + 1), id(n), 'x', CASE WHEN n = 1000 THEN 'in_progress'
                   ELSE 'completed' END, 5000, 'continue', 1000000,
                   'test', now(), now(), now(), CASE WHEN n > 1000 THEN now() END, now(), now()
            FROM generate_series(1000, 20999) AS n
            """,
            """
            INSERT INTO viral.batch_items (tenant_id, batch_id, number, agent_id, description, status, completed_at,
                result)
            SELECT id(1), id(1000), n, 'echo', 'x', CASE WHEN open THEN 'pending' ELSE 'completed' END, CASE
                   WHEN NOT open THEN now() END,
                   CASE WHEN NOT open THEN 'x' END
            FROM (SELECT n, n > 960000 AS open FROM generate_series(1, 1000000) AS n) AS numbered
            """,
            """
            INSERT INTO viral.batch_slices (tenant_id, batch_id, first, last, due_at, holder, lease_until, lane)
            SELECT id(1), id(1000), n, n + 49, now(), CASE WHEN held THEN id(1) END, CASE WHEN held
                   THEN now() + interval '1 day' END,
                   CASE WHEN held THEN 0 END
            FROM (SELECT n, n <= 970000 AS held FROM generate_series(960001, 1000000, 50) AS n) AS numbered
            """,
            """
            INSERT INTO viral.workflows (
                tenant_id, id, status, definition, created_by, created_at, updated_at, completed_at, check_at)
            SELECT id(n % 1000 + 1), id(n), CASE WHEN open THEN 'in_progress'
                   ELSE 'completed' END, '{}', 'test', now(), now(),
                   CASE WHEN NOT open THEN now() END, now()
            FROM (SELECT n, n > 20000 AS open FROM generate_series(1000, 20999) AS n) AS numbered
            """,
            """
            INSERT INTO viral.workflow_steps (tenant_id, workflow_id, step_id, kind, run, status, attempt, started_at,
                completed_at)
            SELECT id(n % 1000 + 1), id(n), 'a', 'step', 1, CASE WHEN open THEN 'in_progress'
                   ELSE 'completed' END, 1, now(),
                   CASE WHEN NOT open THEN now() END
            FROM (SELECT n, n > 20000 AS open FROM generate_series(1000, 20999) AS n) AS numbered
            """,
            """
            INSERT INTO viral.approval_gates (
                tenant_id, id, workflow_id, gate_id, run, status, title, roles, users, quorum, reject_quorum,
                exclude_requester, requested_by, opened_at, on_timeout, decided_at)
            SELECT tenant_id, id, id, 'ask', 1, CASE WHEN completed_at IS NULL THEN 'open'
                   ELSE 'approved' END, 'x', ARRAY['approver'], '{}',
                   1, 1, true, 'user:test', now(), 'reject', completed_at
            FROM viral.workflows
            """,
            $$"""
            {{Numbered}}
            INSERT INTO viral.approval_asks (tenant_id, asked, gate) SELECT tenant_id, 'user:other', id FROM made
            """,
            """
            INSERT INTO viral.metric_points (
                tenant_id, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
                cost_usd, latencies, latency_log_sum)
            SELECT id(n % 1000 + 1), timestamptz '2026-01-01 00:00Z' + n / 1000 * interval '1 minute', 'echo', 'echo',
                   '', 1, 0, 0, 0, 0,
                   0, '{1}', 0
            FROM generate_series(0, 19999) AS n
            """,
            """
            INSERT INTO viral.metric_rollups (
                tenant_id, step, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
                cost_usd, latencies, latency_count, latency_log_sum)
            SELECT id(n), 'day', now() - day * interval '1 day', 'echo', 'echo', '', 1, 0, 0, 0, 0, 0, '{1,1}', 1, 0
            FROM generate_series(1, 365) AS day, generate_series(1, 1000, 2) AS n
            """,
        ]),
    ];

    private readonly TestPostgres postgres = new();
    private readonly Dictionary<string, WatchedPool> pools = [];

    /// <summary>Tables that nothing may read as a whole: they have at least 10,000 rows.</summary>
    public IReadOnlySet<string> Tables { get; private set; } = null!;

    /// <summary>The id that the fill gave to the n-th of a kind.</summary>
    public static Guid Id(int n) => new(0, 0, 0, [0, 0, 0, 0, .. BitConverter.GetBytes(n).Reverse()]);

    public async Task InitializeAsync()
    {
        await postgres.InitializeAsync();
        await FillAsync();
        await WatchedPool.TurnOnAsync(postgres.AdminConnection);
        foreach (var kind in PlanKinds)
            pools.Add(
                kind,
                await WatchedPool.OpenAsync($"{postgres.AppConnection};Options=-c plan_cache_mode=force_{kind}_plan"));
    }

    /// <summary>The app's pool, with plans of one kind.</summary>
    internal WatchedPool PoolOf(string kind) => pools[kind];

    public async Task DisposeAsync()
    {
        foreach (var pool in pools.Values)
            await pool.DisposeAsync();
        await postgres.DisposeAsync();
    }

    private async Task FillAsync()
    {
        await using var admin = await OpenAsync();
        await ExecuteAsync(
            admin,
            """
            CREATE FUNCTION id(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN lpad(to_hex(n), 32, '0')::uuid;
            INSERT INTO viral.organizations (id, name, plan) SELECT id(n), 'x', 'team'
                FROM generate_series(1, 1000) AS n;
            """);
        await Task.WhenAll(Fills.Select(FillAsync));
        // When all is stored: what others may still see is not marked as visible to all.
        await ExecuteAsync(admin, $"VACUUM (ANALYZE) {string.Join(',', Fills.SelectMany(fill => fill.Tables))}");
        await using var command = new NpgsqlCommand(
            "SELECT array_agg(relname::text) FROM pg_class "
            + "WHERE relnamespace = 'viral'::regnamespace AND reltuples >= 10000",
            admin);
        Tables = ((string[])(await command.ExecuteScalarAsync())!).ToHashSet();
    }

    /// <summary>
    /// Without triggers, and with indexes that are made when the rows are there: both take longer row by row.
    /// </summary>
    private async Task FillAsync(Fill fill)
    {
        await using var admin = await OpenAsync();
        await ExecuteAsync(
            admin,
            $$"""
            SET session_replication_role = replica;
            SET maintenance_work_mem = '256MB';
            UPDATE pg_index SET indisready = false, indisvalid = false
            WHERE indrelid = ANY ('{{{string.Join(',', fill.Tables)}}}'::regclass[])
            """);
        foreach (var insert in fill.Inserts)
            await ExecuteAsync(admin, insert);
        foreach (var table in fill.Tables)
            await ExecuteAsync(admin, $"REINDEX TABLE {table}");
    }

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var admin = new NpgsqlConnection(postgres.AdminConnection + ";Command Timeout=0");
        await admin.OpenAsync();
        return admin;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private sealed record Fill(string[] Tables, string[] Inserts);
}
