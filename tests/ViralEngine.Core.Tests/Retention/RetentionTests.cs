using Npgsql;
using ViralEngine.Core.Retention;
using ViralEngine.Core.Workflows;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Retention;

public sealed class RetentionTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private static readonly DateTime Before = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task Deletes_tasks_that_ended_long_ago_with_their_history_and_no_others()
    {
        await using var db = postgres.NewDb();
        var old = await AddTaskAsync("completed", "2025-12-01", "2025-12-02");
        var late = await AddTaskAsync("completed", "2025-12-01", "2026-01-02");
        var open = await AddTaskAsync("pending", "2025-12-01", null);

        while (await new TaskRetention(db).SweepSomeAsync(Before, CancellationToken.None))
        {
        }

        Assert.Equal(
            [late, open],
            await IdsAsync("SELECT id FROM viral.tasks WHERE id = ANY ($1) ORDER BY id", old, late, open));
        Assert.Equal([late, open], await IdsAsync(
            "SELECT subject_id FROM viral.events WHERE subject_id = ANY ($1) ORDER BY 1", old, late, open));
    }

    [Fact]
    public async Task Deletes_batches_that_ended_long_ago_with_all_their_items()
    {
        await using var db = postgres.NewDb();
        var old = await AddBatchAsync("completed", "2025-12-02", items: 25_000);
        var late = await AddBatchAsync("failed", "2026-01-02", items: 3);
        var open = await AddBatchAsync("in_progress", null, items: 3);

        while (await new BatchRetention(db).SweepSomeAsync(Before, CancellationToken.None))
        {
        }

        Assert.Equal(
            [late, open],
            await IdsAsync("SELECT id FROM viral.batches WHERE id = ANY ($1) ORDER BY id", old, late, open));
        foreach (var table in new[] { "batch_items", "batch_slices", "batch_lanes" })
            Assert.Equal([late, open], await IdsAsync(
                $"SELECT DISTINCT batch_id FROM viral.{table} WHERE batch_id = ANY ($1) ORDER BY 1", old, late, open));
        Assert.Equal([late, open], await IdsAsync(
            "SELECT subject_id FROM viral.events WHERE subject_id = ANY ($1) ORDER BY 1", old, late, open));
    }

    [Fact]
    public async Task Deletes_workflows_that_ended_long_ago_with_their_steps_and_gates()
    {
        await using var db = postgres.NewDb();
        var old = await AddWorkflowAsync("completed", "2025-12-02");
        var late = await AddWorkflowAsync("cancelled", "2026-01-02");
        var open = await AddWorkflowAsync("waiting", null);

        while (await new WorkflowSweeper(db).DeleteEndedAsync(DateTime.UtcNow - Before, 1, CancellationToken.None) > 0)
        {
        }

        Assert.Equal(
            [late, open],
            await IdsAsync("SELECT id FROM viral.workflows WHERE id = ANY ($1) ORDER BY id", old, late, open));
        foreach (var table in new[] { "workflow_steps", "approval_gates" })
            Assert.Equal([late, open], await IdsAsync(
                $"SELECT workflow_id FROM viral.{table} WHERE workflow_id = ANY ($1) ORDER BY 1", old, late, open));
        Assert.Equal([late, open], await IdsAsync(
            "SELECT subject_id FROM viral.events WHERE subject_id = ANY ($1) ORDER BY 1", old, late, open));
    }

    private Task<Guid> AddTaskAsync(string status, string created, string? completed) => AddAsync(
        """
        WITH task AS (
            INSERT INTO viral.tasks (
                tenant_id, id, status, agent_id, description, priority, tags, timeout_seconds, max_attempts, created_by,
                created_at, updated_at, completed_at, due_at, check_at, result)
            VALUES (gen_random_uuid(), $1, $2, 'echo', 'x', 5, '{}', 1, 1, 'test', $3, $3, $4, $3, $3, 'x')
            RETURNING tenant_id, id
        )
        INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
        SELECT tenant_id, id, 1, 'task.created', '{}', now() FROM task
        """,
        status, Utc(created), Utc(completed));

    private Task<Guid> AddBatchAsync(string status, string? completed, int items) => AddAsync(
        """
        WITH batch AS (
            INSERT INTO viral.batches (
                tenant_id, id, name, status, concurrency_limit, failure_mode, total_items, created_by, created_at,
                updated_at, completed_at, check_at, progress_at)
            VALUES (gen_random_uuid(), $1, 'b', $2, 1, 'continue', $4, 'test', now(), now(), $3, now(), now())
            RETURNING tenant_id, id
        ), items AS (
            INSERT INTO viral.batch_items (tenant_id, batch_id, number, description)
            SELECT tenant_id, id, number, 'x' FROM batch CROSS JOIN generate_series(1, $4) AS number
        ), slices AS (
            INSERT INTO viral.batch_slices (tenant_id, batch_id, first, last, due_at)
            SELECT tenant_id, id, 1, 1, now() FROM batch
        ), lanes AS (
            INSERT INTO viral.batch_lanes (tenant_id, batch_id, lane, completed, failed, cancelled, input_tokens,
                output_tokens, cost_usd)
            SELECT tenant_id, id, 0, 0, 0, 0, 0, 0, 0 FROM batch
        )
        INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
        SELECT tenant_id, id, 1, 'batch.created', '{}', now() FROM batch
        """,
        status, Utc(completed), items);

    private Task<Guid> AddWorkflowAsync(string status, string? completed) => AddAsync(
        """
        WITH workflow AS (
            INSERT INTO viral.workflows (
                tenant_id, id, status, definition, created_by, created_at, updated_at, completed_at, check_at)
            VALUES (gen_random_uuid(), $1, $2, '{}', 'test', now(), now(), $3, now())
            RETURNING tenant_id, id
        ), step AS (
            INSERT INTO viral.workflow_steps (tenant_id, workflow_id, step_id, kind, run, status, attempt, started_at)
            SELECT tenant_id, id, 'ask', 'step', 1, 'waiting', 0, now() FROM workflow
        ), gate AS (
            INSERT INTO viral.approval_gates (
                tenant_id, id, workflow_id, gate_id, run, title, roles, users, quorum, reject_quorum, exclude_requester,
                requested_by, opened_at, on_timeout)
            SELECT tenant_id, gen_random_uuid(), id, 'ask', 1, 'x', '{approver}', '{}', 1, 1, false, 'test', now(),
                   'reject' FROM workflow
            RETURNING tenant_id, id
        ), decision AS (
            INSERT INTO viral.approval_decisions (tenant_id, gate, decider, decision, via, decided_at)
            SELECT tenant_id, id, 'test', 'approve', 'api', now() FROM gate
        )
        INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
        SELECT tenant_id, id, 1, 'workflow.created', '{}', now() FROM workflow
        """,
        status, Utc(completed));

    private async Task<Guid> AddAsync(string sql, params object?[] args)
    {
        var id = Guid.CreateVersion7();
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = id } } };
        foreach (var arg in args)
            command.Parameters.Add(new NpgsqlParameter { Value = arg ?? DBNull.Value });
        await command.ExecuteNonQueryAsync();
        return id;
    }

    private async Task<List<Guid>> IdsAsync(string sql, params Guid[] ids)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = ids } } };
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<Guid>();
        while (await reader.ReadAsync())
            found.Add(reader.GetGuid(0));
        return found;
    }

    private static DateTime? Utc(string? date) =>
        date is null ? null : DateTime.Parse(
            date + "T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture,
            System.Globalization.DateTimeStyles.AdjustToUniversal);
}
