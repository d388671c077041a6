using System.Text.Json;
using Npgsql;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Workflows.Execution;

namespace ViralEngine.Core.Workflows;

/// <summary>
/// Counts consecutive unexpected errors while advancing a workflow, and fails the workflow after several, so that it is
/// not retried forever and its users see why it stopped.
/// </summary>
public sealed class WorkflowFaults(Db db, TaskStore tasks)
{
    public const int MaxFaults = 5;

    /// <returns>When to advance it again, or that it has ended; null if the workflow does not exist.</returns>
    public async Task<WorkflowLook?> CountAsync(TenantId tenant, Guid id, Exception fault, CancellationToken ct)
    {
        var counted = await db.QueryOneAsync(
            tenant,
            """
            UPDATE viral.workflows
            SET faults = faults + 1, check_at = now() + interval '1 minute'
            WHERE tenant_id = $1 AND id = $2
            RETURNING faults, status IN ('completed', 'failed', 'cancelled'), now()
            """,
            [tenant.Value, id],
            row => ((int Faults, bool Ended, DateTime Now)?)(row.GetInt32(0), row.GetBoolean(1), row.GetDateTime(2)),
            ct);
        if (counted is not { } look)
            return null;
        if (look is { Ended: false, Faults: < MaxFaults })
            return new WorkflowLook(false, [], look.Now + TimeSpan.FromSeconds(Math.Pow(2, look.Faults - 1)));
        if (!look.Ended)
            await FailAsync(tenant, id, fault, ct);
        return new WorkflowLook(true, [], null);
    }

    private async Task FailAsync(TenantId tenant, Guid id, Exception fault, CancellationToken ct)
    {
        var error = new StepError(
            "internal", $"The workflow failed: {MaxFaults} attempts to advance it ended in an error ({KindOf(fault)}).",
            null);
        await db.BeginAsync(ct);
        var running = await db.QueryAsync(
            tenant,
            $$"""
            WITH failed AS (
                UPDATE viral.workflows
                SET status = 'failed', ending = NULL, error = $3::jsonb, completed_at = now(), updated_at = now(),
                    revision = revision + 1, last_event = last_event + 1
                WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'in_progress', 'waiting', 'rolling_back')
                RETURNING tenant_id, id, last_event
            ), steps AS (
                UPDATE viral.workflow_steps AS step
                SET status = 'cancelled', completed_at = now(), due_at = NULL, request = NULL, result = NULL
                FROM failed
                WHERE step.tenant_id = failed.tenant_id AND step.workflow_id = failed.id
                  AND step.status IN ('in_progress', 'waiting', 'retrying')
                RETURNING step.task_id
            ), gates AS (
                UPDATE viral.approval_gates AS gate
                SET status = 'cancelled', decided_at = now(), next_reminder_at = NULL
                FROM failed
                WHERE gate.tenant_id = failed.tenant_id AND gate.workflow_id = failed.id AND gate.status = 'open'
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.WorkflowFailed}}',
                       jsonb_build_object('status', 'failed', 'error', $3::jsonb), now()
                FROM failed
            )
            SELECT task_id
            FROM steps
            WHERE task_id IS NOT NULL
            """,
            [tenant.Value, id, JsonSerializer.Serialize(error, WorkflowJson.Default.StepError)],
            row => row.GetGuid(0),
            ct);
        foreach (var task in running)
            await tasks.CancelAsync(tenant, task, "workflow", ct);
        await db.CommitAsync(ct);
    }

    /// <summary>The part of an unexpected error that users may see.</summary>
    private static string KindOf(Exception fault) =>
        fault is PostgresException { SqlState: var state } ? $"SQLSTATE {state}" : fault.GetType().Name;
}
