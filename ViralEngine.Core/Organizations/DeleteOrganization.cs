using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>
/// Deletes an organization. From the commit on, its keys and tokens are rejected, its webhooks send nothing, and its
/// workflows, batches and tasks are cancelled, running ones within a second. Sweeps call <see cref="StopAsync"/> for
/// work stored meanwhile. Its data is erased after its retention.
/// </summary>
public sealed class DeleteOrganization(Db db, Signals signals)
{
    private const int MaxTasksAtOnce = 5_000;
    private const int MaxPortions = 20;

    /// <summary>False if the organization does not exist.</summary>
    public async Task<bool> RunAsync(Guid id, CancellationToken ct)
    {
        await db.BeginAsync(ct);
        var deleted = await db.ExecuteAsync(
            DbScope.AllTenants,
            "UPDATE viral.organizations SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL",
            [id],
            ct) > 0;
        if (deleted)
        {
            await db.ExecuteAsync(
                DbScope.AllTenants,
                "UPDATE viral.api_keys SET revoked_at = now() WHERE tenant_id = $1 AND revoked_at IS NULL",
                [id],
                ct);
            await StopAsync(new TenantId(id), ct);
        }

        await db.CommitAsync(ct);
        return deleted;
    }

    /// <summary>Stops any open work of a deleted organization.</summary>
    public async Task StopAsync(TenantId tenant, CancellationToken ct)
    {
        var stopped = await StopWorkflowsAndBatchesAsync(tenant, ct);
        for (var portion = 0;
            portion < MaxPortions && await CancelTasksAsync(tenant, ct) is { Count: > 0 } tasks;
            portion++)
            stopped.AddRange(tasks);

        await db.AfterCommitAsync(
            _ =>
            {
                foreach (var id in stopped)
                    signals.Publish(tenant, id);
                return Task.CompletedTask;
            },
            ct);
    }

    /// <summary>Recently deleted organizations, and earlier ones with open work.</summary>
    public Task<List<TenantId>> DeletedLatelyAsync(CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT organization.id
            FROM viral.organizations AS organization
            WHERE organization.deleted_at IS NOT NULL
              AND (organization.deleted_at > now() - interval '10 minutes'
                OR EXISTS (SELECT FROM viral.tasks AS task WHERE task.tenant_id = organization.id
                    AND task.status = 'pending')
                OR EXISTS (SELECT FROM viral.tasks AS task WHERE task.tenant_id = organization.id
                    AND task.status = 'in_progress'))
            ORDER BY organization.deleted_at DESC
            LIMIT 100
            """,
            [],
            row => new TenantId(row.GetGuid(0)),
            ct);

    // Without rollbacks, which would be calls too.
    private async Task<List<Guid>> StopWorkflowsAndBatchesAsync(TenantId tenant, CancellationToken ct)
    {
        var stopped = await db.QueryAsync(
            DbScope.AllTenants,
            $$"""
            WITH ended AS (
                UPDATE viral.workflows
                SET status = 'cancelled', ending = NULL, completed_at = now(), updated_at = now(),
                    revision = revision + 1,
                    cancel_requested_at = COALESCE(cancel_requested_at, now()), last_event = last_event + 1
                WHERE tenant_id = $1 AND status IN ('pending', 'in_progress', 'waiting', 'rolling_back')
                RETURNING tenant_id, id, last_event
            ), steps AS (
                UPDATE viral.workflow_steps AS step
                SET status = 'cancelled', completed_at = now(), due_at = NULL, request = NULL, result = NULL
                FROM ended
                WHERE step.tenant_id = ended.tenant_id AND step.workflow_id = ended.id
                  AND step.status IN ('in_progress', 'waiting', 'retrying')
            ), gates AS (
                UPDATE viral.approval_gates
                SET status = 'cancelled', decided_at = now(), next_reminder_at = NULL
                WHERE tenant_id = $1 AND status = 'open'
            ), webhooks AS (
                UPDATE viral.webhook_endpoints
                SET enabled = false, disabled_reason = 'user', disabled_at = now(), updated_at = now()
                WHERE tenant_id = $1 AND enabled
            ), batches AS (
                UPDATE viral.batches
                SET stopping = 'cancelled', last_event = last_event + 1, updated_at = now(), check_at = now()
                WHERE tenant_id = $1 AND status IN ('pending', 'in_progress') AND stopping IS NULL
                RETURNING tenant_id, id, status, last_event
            ), events AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.WorkflowCancelled}}',
                       jsonb_build_object('status', 'cancelled'), now()
                FROM ended
                UNION ALL
                SELECT tenant_id, id, last_event, '{{EventTypes.BatchCancelRequested}}',
                       jsonb_build_object('status', status, 'by', 'organization'), now()
                FROM batches
            )
            SELECT id
            FROM ended
            UNION ALL
            SELECT id
            FROM batches
            """,
            [tenant.Value],
            row => row.GetGuid(0),
            ct);
        return stopped;
    }

    private Task<List<Guid>> CancelTasksAsync(TenantId tenant, CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            $$"""
            WITH running AS (
                SELECT tenant_id, id, status
                FROM viral.tasks
                WHERE tenant_id = $1 AND status = 'in_progress' AND cancel_requested_at IS NULL
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            ), waiting AS (
                SELECT tenant_id, id, status
                FROM viral.tasks
                WHERE tenant_id = $1 AND status = 'pending'
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            ), open AS (
                SELECT tenant_id, id, status
                FROM running
                UNION ALL
                SELECT tenant_id, id, status
                FROM waiting
            ), changed AS (
                UPDATE viral.tasks AS task
                SET status = CASE WHEN open.status = 'pending' THEN 'cancelled' ELSE task.status END,
                    completed_at = CASE WHEN open.status = 'pending' THEN now() END,
                    cancel_requested_at = COALESCE(task.cancel_requested_at, now()),
                    last_event = task.last_event + 1,
                    updated_at = now()
                FROM open
                WHERE task.tenant_id = open.tenant_id AND task.id = open.id
                RETURNING task.tenant_id, task.id, task.status, task.last_event
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event,
                       CASE WHEN status = 'cancelled' THEN '{{EventTypes.TaskCancelled}}'
                           ELSE '{{EventTypes.TaskCancelRequested}}' END,
                       jsonb_build_object('status', status, 'by', 'organization'), now()
                FROM changed
            )
            SELECT id
            FROM changed
            """,
            [tenant.Value, MaxTasksAtOnce],
            row => row.GetGuid(0),
            ct);
}
