using Npgsql;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows.Execution;

namespace ViralEngine.Core.Workflows;

/// <summary>Workflows in PostgreSQL for users: submit, read, cancel.</summary>
public sealed class WorkflowStore(Db db)
{
    /// <summary>For <see cref="Events.EventStore.ReadAsync"/>.</summary>
    public const string EventHead =
        """
        SELECT status IN ('completed', 'failed', 'cancelled'), last_event
        FROM viral.workflows
        WHERE tenant_id = $1 AND id = $2
        """;

    /// <summary>Stores a workflow with its first event.</summary>
    public Task<int> AddAsync(TenantId tenant, NewWorkflow workflow, CancellationToken ct) =>
        db.ExecuteAsync(
            tenant,
            $$"""
            WITH workflow AS (
                INSERT INTO viral.workflows (
                    tenant_id, id, name, status, definition, input, template_id, template_version, created_by,
                    created_at, updated_at, check_at)
                VALUES ($1, $2, $3, 'pending', $4::json, $5::json, $6, $7, $8, now(), now(),
                    now() + interval '10 seconds')
                RETURNING tenant_id, id, name, created_at
            )
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            SELECT tenant_id, id, 1, '{{EventTypes.WorkflowCreated}}',
                   jsonb_build_object('status', 'pending', 'name', name), created_at
            FROM workflow
            """,
            [
                tenant.Value, workflow.Id, workflow.Name, workflow.DefinitionJson, workflow.InputJson,
                workflow.TemplateId, workflow.TemplateVersion, workflow.CreatedBy,
            ],
            ct);

    /// <summary>The workflow with its steps; null if it does not exist.</summary>
    public async Task<Workflow?> FindAsync(TenantId tenant, Guid id, CancellationToken ct)
    {
        await using var batch = db.Batch(tenant)
            .Add(
                """
                SELECT id, name, status, definition::text, input::text, template_id, template_version, created_by,
                       created_at,
                       updated_at, started_at, completed_at, run, cancel_requested_at IS NOT NULL, error::text
                FROM viral.workflows
                WHERE tenant_id = $1 AND id = $2
                """,
                [tenant.Value, id])
            .Add(
                """
                SELECT step_id, kind, status, run, attempt, task_id, output::text, error::text, due_at, started_at,
                       completed_at
                FROM viral.workflow_steps
                WHERE tenant_id = $1 AND workflow_id = $2
                ORDER BY started_at, kind DESC, completed_event
                """,
                [tenant.Value, id]);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            return null;
        var workflow = Read(reader);
        await reader.NextResultAsync(ct);
        var steps = new List<WorkflowStepState>();
        while (await reader.ReadAsync(ct))
            steps.Add(ReadStep(reader));
        return workflow with { Steps = steps };
    }

    /// <summary>Newest first, without definitions and steps.</summary>
    public Task<List<Workflow>> ListAsync(
        TenantId tenant, WorkflowFilter filter, Guid? before, int limit, CancellationToken ct) =>
        db.QueryListAsync(
            tenant,
            """
            SELECT id, name, status, NULL::text, NULL::text, template_id, template_version, created_by, created_at,
                   updated_at, started_at, completed_at, run, cancel_requested_at IS NOT NULL, error::text
            FROM viral.workflows
            WHERE tenant_id = $1
              AND ($2::uuid IS NULL OR id < $2)
              AND ($3::text IS NULL OR status = $3)
              AND ($4::uuid IS NULL OR template_id = $4)
              AND ($5::timestamptz IS NULL OR (created_at >= $5 AND id >= $8))
              AND ($6::timestamptz IS NULL OR (created_at < $6 AND id < $9))
            ORDER BY id DESC
            LIMIT $7
            """,
            [
                tenant.Value, before, filter.Status?.ToText(), filter.TemplateId, filter.CreatedAfter,
                filter.CreatedBefore, limit, Lists.IdFrom(filter.CreatedAfter), Lists.IdBefore(filter.CreatedBefore),
            ],
            Read,
            ct);

    /// <summary>
    /// Requests cancellation, which the next advance carries out. Null if the workflow does not exist; false if it has
    /// ended or is rolling back.
    /// </summary>
    public Task<bool?> CancelAsync(TenantId tenant, Guid id, string principal, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $$"""
            WITH changed AS (
                UPDATE viral.workflows
                SET cancel_requested_at = now(), check_at = now() + interval '5 seconds', last_event = last_event + 1,
                    updated_at = now(), revision = revision + 1
                WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'in_progress', 'waiting')
                  AND cancel_requested_at IS NULL
                RETURNING tenant_id, id, status, last_event
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.WorkflowCancelRequested}}',
                       jsonb_build_object('status', status, 'by', $3::text), now()
                FROM changed
            )
            SELECT EXISTS (SELECT FROM changed)
            FROM viral.workflows
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id, principal],
            row => (bool?)row.GetBoolean(0),
            ct);

    private static Workflow Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetStringOrNull(1),
        WorkflowWords.ParseWorkflow(row.GetString(2)),
        row.GetJsonOrNull(3),
        row.GetJsonOrNull(4),
        row.GetGuidOrNull(5),
        row.GetInt32OrNull(6),
        row.GetString(7),
        row.GetDateTime(8),
        row.GetDateTime(9),
        row.GetDateTimeOrNull(10),
        row.GetDateTimeOrNull(11),
        row.GetInt32(12),
        row.GetBoolean(13),
        row.GetJsonOrNull(14, WorkflowJson.Default.StepError),
        Steps: null);

    private static WorkflowStepState ReadStep(NpgsqlDataReader row) => new(
        row.GetString(0),
        WorkflowWords.ParseKind(row.GetString(1)),
        WorkflowWords.ParseStep(row.GetString(2)),
        row.GetInt32(3),
        row.GetInt32(4),
        row.GetGuidOrNull(5),
        row.GetJsonOrNull(6),
        row.GetJsonOrNull(7, WorkflowJson.Default.StepError),
        row.GetDateTimeOrNull(8),
        row.GetDateTime(9),
        row.GetDateTimeOrNull(10));
}

/// <summary>A checked request for a workflow.</summary>
public sealed record NewWorkflow(
    Guid Id, string? Name, string DefinitionJson, string? InputJson, Guid? TemplateId, int? TemplateVersion,
    string CreatedBy);

/// <summary>Which workflows to list; null means any.</summary>
public sealed record WorkflowFilter(
    WorkflowStatus? Status, Guid? TemplateId, DateTime? CreatedAfter, DateTime? CreatedBefore);
