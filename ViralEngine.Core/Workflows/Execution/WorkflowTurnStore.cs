using System.Text.Json;
using Npgsql;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>Loads and stores turns.</summary>
public sealed class WorkflowTurnStore(Db db, DefinitionReader reader)
{
    /// <summary>
    /// Reads a workflow and, in a transaction, locks it; null if it does not exist. Outside a transaction, the parts
    /// may be from different moments; <see cref="LockUnchangedAsync"/> checks that they are consistent and current.
    /// </summary>
    internal async Task<WorkflowTurn?> ReadAsync(TenantId tenant, Guid id, CancellationToken ct)
    {
        await using var batch = db.Batch(tenant);
        // A separate statement, so that the clock is read after the lock is acquired.
        if (db.InTransaction)
            batch.Add("SELECT id FROM viral.workflows WHERE tenant_id = $1 AND id = $2 FOR UPDATE", [tenant.Value, id]);
        batch
            .Add(
                """
                SELECT definition::text, input::text, created_by, run, clock_timestamp(), status,
                       cancel_requested_at IS NOT NULL,
                       last_event, ending, error::text, revision
                FROM viral.workflows
                WHERE tenant_id = $1 AND id = $2
                """,
                [tenant.Value, id])
            .Add(
                """
                SELECT step.step_id, step.kind, step.run, step.status, step.attempt, step.task_id, step.branch,
                       step.request::text,
                       step.result::text, step.error::text, step.due_at, step.started_at, step.completed_at,
                       step.completed_event,
                       task.status, task.error::text
                FROM viral.workflow_steps AS step
                LEFT JOIN viral.tasks AS task
                  ON step.status = 'in_progress' AND task.tenant_id = step.tenant_id AND task.id = step.task_id
                WHERE step.tenant_id = $1 AND step.workflow_id = $2
                """,
                [tenant.Value, id]);
        GateStore.AddReadTo(batch, tenant, id);
        WorkflowTurn turn;
        await using (var rows = await batch.ExecuteReaderAsync(ct))
        {
            if (db.InTransaction)
                await rows.NextResultAsync(ct);
            if (!await rows.ReadAsync(ct))
                return null;
            var steps = new Dictionary<(string, StepKind), StepRun>();
            var tasks = new Dictionary<Guid, TaskOutcome>();
            turn = ReadWorkflow(rows, id, steps, tasks);
            await rows.NextResultAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                var step = ReadStep(rows);
                steps[(step.StepId, step.Kind)] = step;
                if (step.TaskId is { } taskId && !rows.IsDBNull(14))
                    tasks[taskId] = ReadTask(rows);
            }

            await rows.NextResultAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                var gate = GateStore.Read(rows);
                turn.Gates[gate.GateId] = gate;
            }
        }

        return turn;
    }

    /// <summary>Locks the workflow in the open transaction. False if it was changed after it was read.</summary>
    internal async Task<bool> LockUnchangedAsync(TenantId tenant, WorkflowTurn turn, CancellationToken ct) =>
        await db.QueryOneAsync(
            tenant,
            "SELECT revision FROM viral.workflows WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
            [tenant.Value, turn.WorkflowId],
            row => (int?)row.GetInt32(0),
            ct) == turn.Revision;

    /// <summary>The outputs of these steps.</summary>
    internal async Task<Dictionary<string, JsonElement>> OutputsAsync(
        TenantId tenant, Guid workflowId, IReadOnlyList<string> stepIds, CancellationToken ct) =>
        (await db.QueryAsync(
            tenant,
            """
            SELECT step_id, output::text
            FROM viral.workflow_steps
            WHERE tenant_id = $1 AND workflow_id = $2 AND kind = 'step' AND step_id = ANY ($3) AND output IS NOT NULL
            """,
            [tenant.Value, workflowId, stepIds.ToArray()],
            row => (Id: row.GetString(0), Output: JsonElement.Parse(row.GetString(1))),
            ct)).ToDictionary(row => row.Id, row => row.Output);

    internal Task<string?> PlanAsync(TenantId tenant, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant, "SELECT plan FROM viral.organizations WHERE id = $1", [tenant.Value], row => row.GetString(0), ct);

    internal async Task<string> TaskResultAsync(TenantId tenant, Guid taskId, CancellationToken ct) =>
        await db.QueryOneAsync(
            tenant,
            "SELECT result FROM viral.tasks WHERE tenant_id = $1 AND id = $2",
            [tenant.Value, taskId],
            row => row.GetString(0),
            ct) ?? throw new InvalidOperationException($"Task {taskId} is completed and has no result.");

    /// <param name="checkAfter">When a sweep should check it, if nothing else does.</param>
    internal async Task SaveAsync(TenantId tenant, WorkflowTurn turn, TimeSpan checkAfter, CancellationToken ct)
    {
        await using var batch = db.Batch(tenant)
            .Add(
                """
                UPDATE viral.workflows
                SET status = $3, ending = $4, error = $5::jsonb, last_event = $6, check_at = now() + $7,
                    updated_at = now(),
                    started_at = COALESCE(started_at, now()), revision = revision + 1, faults = 0,
                    completed_at = CASE WHEN $8 THEN now() END
                WHERE tenant_id = $1 AND id = $2
                """,
                [
                    tenant.Value, turn.WorkflowId, turn.Status.ToText(), turn.Ending?.ToText(),
                    turn.Error is { } error ? JsonSerializer.Serialize(error, WorkflowJson.Default.StepError) : null,
                    turn.LastEvent, checkAfter, turn.HasEnded,
                ]);
        var changed = turn.Steps.Values.Where(step => step.Changed).Select(RowOf).ToArray();
        if (changed.Length > 0)
        {
            batch.Add(
                """
                INSERT INTO viral.workflow_steps (
                    tenant_id, workflow_id, step_id, kind, run, status, attempt, task_id, branch, request, output,
                    error, due_at, started_at, completed_at, completed_event)
                SELECT $1, $2, step_id, kind, run, status, attempt, task_id, branch, request::json, output::json, error,
                       due_at, started_at, completed_at, completed_event
                FROM json_to_recordset($3::json) AS step (
                    step_id text, kind text, run integer, status text, attempt integer, task_id uuid, branch integer,
                    request text, output text, error jsonb, due_at timestamptz, started_at timestamptz,
                    completed_at timestamptz, completed_event integer)
                ON CONFLICT (tenant_id, workflow_id, step_id, kind) DO UPDATE
                SET status = EXCLUDED.status, attempt = EXCLUDED.attempt, task_id = EXCLUDED.task_id,
                    branch = EXCLUDED.branch,
                    request = EXCLUDED.request, result = NULL,
                    output = COALESCE(EXCLUDED.output, workflow_steps.output),
                    error = EXCLUDED.error, due_at = EXCLUDED.due_at, completed_at = EXCLUDED.completed_at,
                    completed_event = EXCLUDED.completed_event,
                    calls = CASE WHEN workflow_steps.attempt = EXCLUDED.attempt THEN workflow_steps.calls ELSE 0 END
                """,
                [tenant.Value, turn.WorkflowId, JsonSerializer.Serialize(changed, WorkflowJson.Default.StepRowArray)]);
        }

        foreach (var gate in turn.Gates.Values.Where(gate => gate.Changed))
            GateStore.AddTo(batch, tenant, gate);
        EventWriter.AddTo(batch, tenant, turn.WorkflowId, turn.Events);
        await batch.ExecuteAsync(ct);
    }

    private WorkflowTurn ReadWorkflow(
        NpgsqlDataReader row, Guid id, Dictionary<(string, StepKind), StepRun> steps,
        Dictionary<Guid, TaskOutcome> tasks) => new()
        {
            WorkflowId = id,
            Definition = reader.ReadStored(JsonElement.Parse(row.GetString(0))),
            Input = row.GetJsonOrNull(1),
            CreatedBy = row.GetString(2),
            Run = row.GetInt32(3),
            Now = row.GetDateTime(4),
            Status = WorkflowWords.ParseWorkflow(row.GetString(5)),
            CancelRequested = row.GetBoolean(6),
            LastEvent = row.GetInt32(7),
            Ending = row.IsDBNull(8) ? null : WorkflowWords.ParseWorkflow(row.GetString(8)),
            Error = row.GetJsonOrNull(9, WorkflowJson.Default.StepError),
            Steps = steps,
            Tasks = tasks,
            Gates = [],
            Revision = row.GetInt32(10),
        };

    private static StepRun ReadStep(NpgsqlDataReader row) => new()
    {
        StepId = row.GetString(0),
        Kind = WorkflowWords.ParseKind(row.GetString(1)),
        Run = row.GetInt32(2),
        Status = WorkflowWords.ParseStep(row.GetString(3)),
        Attempt = row.GetInt32(4),
        TaskId = row.GetGuidOrNull(5),
        Branch = row.GetInt32OrNull(6),
        Request = row.GetStringOrNull(7),
        Result = row.GetJsonOrNull(8),
        Error = row.GetJsonOrNull(9, WorkflowJson.Default.StepError),
        DueAt = row.GetDateTimeOrNull(10),
        StartedAt = row.GetDateTime(11),
        CompletedAt = row.GetDateTimeOrNull(12),
        CompletedEvent = row.GetInt32OrNull(13),
    };

    private static TaskOutcome ReadTask(NpgsqlDataReader row) => new(
        AgentTaskStatuses.Parse(row.GetString(14))!.Value,
        row.GetJsonOrNull(15, TaskJson.Default.TaskError));

    private static StepRow RowOf(StepRun step) => new(
        step.StepId, step.Kind.ToText(), step.Run, step.Status.ToText(), step.Attempt, step.TaskId, step.Branch,
        step.Request,
        step.NewOutput, step.Error, step.DueAt, step.StartedAt, step.CompletedAt, step.CompletedEvent);
}
