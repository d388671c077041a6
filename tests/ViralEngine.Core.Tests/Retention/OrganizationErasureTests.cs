using Npgsql;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Retention;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Retention;

public sealed class OrganizationErasureTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Nothing_that_a_deleted_organization_owned_is_left_after_its_retention_but_its_audit_log()
    {
        var gone = Guid.CreateVersion7();
        var stays = Guid.CreateVersion7();
        await using var db = postgres.NewDb();
        foreach (var tenant in new[] { gone, stays })
        {
            await new OrganizationStore(db).AddAsync(
                tenant, "Test", "enterprise", RowId.New(), ApiKeySecret.Create(), "platform", default);
            await FillAsync(tenant);
        }

        var filled = await CountAsync(gone);
        await db.ExecuteAsync(
            DbScope.AllTenants, "UPDATE viral.organizations SET deleted_at = now() - interval '31 days' WHERE id = $1",
            [gone], default);
        var organizations = new OrganizationRetention(db);
        var batches = new BatchRetention(db);
        for (var round = 0; round < 50; round++)
        {
            await organizations.SweepSomeAsync(DateTime.UtcNow.AddDays(-30), default);
            await batches.SweepSomeAsync(DateTime.UtcNow.AddDays(-90), default);
        }

        var left = (await CountAsync(gone)).Where(table => table.Value > 0).Select(table => table.Key);
        var others = await CountAsync(stays);
        Assert.All(
            [
                "tasks", "events", "workflows", "workflow_steps", "approval_decisions", "batch_items",
                "webhook_attempts"
            ],
            table => Assert.True(filled[table] > 0, $"{table} was empty: it proves nothing."));
        Assert.Equal(["audit_log"], left);
        Assert.Equal(
            filled.Where(table => table.Value > 0).Select(table => table.Key).Order(),
            others.Where(table => table.Value > 0).Select(table => table.Key).Order());
    }

    [Fact]
    public async Task An_organization_deleted_lately_is_left_alone()
    {
        var tenant = Guid.CreateVersion7();
        await using var db = postgres.NewDb();
        await new OrganizationStore(db).AddAsync(
            tenant, "Test", "enterprise", RowId.New(), ApiKeySecret.Create(), "platform", default);
        await db.ExecuteAsync(
            DbScope.AllTenants, "UPDATE viral.organizations SET deleted_at = now() - interval '29 days' WHERE id = $1",
            [tenant], default);

        await new OrganizationRetention(db).SweepSomeAsync(DateTime.UtcNow.AddDays(-30), default);

        Assert.Equal(1, (await CountAsync(tenant))["api_keys"]);
    }

    /// <summary>
    /// A row in each kind of table, by the database's own administrator: rules of the app do not matter here.
    /// </summary>
    private Task FillAsync(Guid tenant) => AdminAsync(
        """
        INSERT INTO viral.members (tenant_id, id, subject, role)
            VALUES ($1, gen_random_uuid(), gen_random_uuid()::text, 'viewer');
        INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
        SELECT $1, gen_random_uuid(), number, 'task.created', '{}', now() FROM generate_series(1, 20) AS number;
        INSERT INTO viral.tasks (
            tenant_id, id, status, agent_id, description, priority, tags, timeout_seconds, max_attempts, created_by,
            created_at, updated_at, due_at, check_at)
        SELECT $1, gen_random_uuid(), 'pending', 'echo', 'x', 5, '{}', 60, 3, 'test', now(), now(), now(), now()
        FROM generate_series(1, 20);
        INSERT INTO viral.audit_log (tenant_id, id, actor, credential, action, target_kind, request_id)
        VALUES ($1, gen_random_uuid(), 'test', 'api_key', 'test.done', 'test', 'x');
        WITH workflow AS (
            INSERT INTO viral.workflows (tenant_id, id, status, definition, created_by, created_at, updated_at,
                check_at)
            VALUES ($1, gen_random_uuid(), 'waiting', '{}', 'test', now(), now(), now())
            RETURNING id
        ), step AS (
            INSERT INTO viral.workflow_steps (tenant_id, workflow_id, step_id, kind, run, status, attempt, started_at)
            SELECT $1, id, 'ask', 'step', 1, 'waiting', 1, now() FROM workflow
        ), gate AS (
            INSERT INTO viral.approval_gates (
                tenant_id, id, workflow_id, gate_id, run, title, roles, users, quorum, reject_quorum, exclude_requester,
                requested_by, opened_at, on_timeout)
            SELECT $1, gen_random_uuid(), id, 'ask', 1, 'x', '{owner}', '{}', 1, 1, false, 'test', now(), 'reject'
                   FROM workflow
            RETURNING id
        )
        INSERT INTO viral.approval_decisions (tenant_id, gate, decider, decision, via, decided_at)
        SELECT $1, id, 'test', 'approve', 'api', now() FROM gate;
        WITH batch AS (
            INSERT INTO viral.batches (
                tenant_id, id, name, status, concurrency_limit, failure_mode, total_items, created_by, created_at,
                updated_at, check_at, progress_at)
            VALUES ($1, gen_random_uuid(), 'x', 'pending', 1, 'continue', 1, 'test', now(), now(), now(), now())
            RETURNING id
        ), lane AS (
            INSERT INTO viral.batch_lanes (tenant_id, batch_id, lane, completed, failed, cancelled, input_tokens,
                output_tokens, cost_usd)
            SELECT $1, id, 0, 0, 0, 0, 0, 0, 0 FROM batch
        ), slice AS (
            INSERT INTO viral.batch_slices (tenant_id, batch_id, first, last, due_at) SELECT $1, id, 1, 1, now()
                FROM batch
        )
        INSERT INTO viral.batch_items (tenant_id, batch_id, number, description) SELECT $1, id, 1, 'x' FROM batch;
        WITH delivery AS (
            INSERT INTO viral.webhook_deliveries (
                tenant_id, id, endpoint_id, message_id, event_type, subject_id, number, due_at, created_at)
            VALUES ($1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'x', gen_random_uuid(), 1, now(),
                now())
            RETURNING id
        )
        INSERT INTO viral.webhook_attempts (tenant_id, delivery_id, number, started_at, duration_ms, request_headers)
        SELECT $1, id, 1, now(), 1, '{}' FROM delivery;
        WITH template AS (
            INSERT INTO viral.workflow_templates (tenant_id, id, name, visibility, latest_version, created_by)
            VALUES ($1, gen_random_uuid(), 'x', 'private', 1, 'test')
            RETURNING id
        )
        INSERT INTO viral.workflow_template_versions (tenant_id, template_id, version, definition, parameters,
            created_by)
        SELECT $1, id, 1, '{}', '[]', 'test' FROM template;
        """,
        tenant);

    private async Task AdminAsync(string statements, Guid tenant)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        foreach (var statement in statements.Split(
            ";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var command = new NpgsqlCommand(
                statement.TrimEnd(';'), connection)
            { Parameters = { new() { Value = tenant } } };
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>The tenant's rows in every table that has tenants, found in the catalogue.</summary>
    private async Task<Dictionary<string, long>> CountAsync(Guid tenant)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        var tables = new List<string>();
        await using (var named = new NpgsqlCommand(
            """
            SELECT columns.table_name
            FROM information_schema.columns AS columns
            JOIN information_schema.tables AS tables USING (table_schema, table_name)
            WHERE columns.table_schema = 'viral' AND columns.column_name = 'tenant_id'
                AND tables.table_type = 'BASE TABLE'
            """,
            connection))
        {
            await using var reader = await named.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                tables.Add(reader.GetString(0));
        }

        var counts = new Dictionary<string, long>();
        foreach (var table in tables)
        {
            await using var count = new NpgsqlCommand(
                $"SELECT count(*) FROM viral.\"{table}\" WHERE tenant_id = $1", connection)
            {
                Parameters = { new() { Value = tenant } },
            };
            counts[table] = (long)(await count.ExecuteScalarAsync())!;
        }

        return counts;
    }
}
