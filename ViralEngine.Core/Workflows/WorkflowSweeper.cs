using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Workflows;

/// <summary>Finds abandoned workflows.</summary>
public sealed class WorkflowSweeper(Db db)
{
    /// <summary>Takes up to <paramref name="limit"/> of them, and sets their next check for a minute later.</summary>
    public Task<List<UnattendedWorkflow>> TakeAsync(int limit, CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            """
            WITH late AS (
                SELECT tenant_id, id
                FROM viral.workflows
                WHERE status IN ('pending', 'in_progress', 'waiting', 'rolling_back') AND check_at < now()
                ORDER BY check_at
                LIMIT $1
                FOR UPDATE SKIP LOCKED
            )
            UPDATE viral.workflows AS workflow
            SET check_at = now() + interval '1 minute'
            FROM late
            WHERE workflow.tenant_id = late.tenant_id AND workflow.id = late.id
            RETURNING workflow.tenant_id, workflow.id, workflow.run
            """,
            [limit],
            row => new UnattendedWorkflow(new TenantId(row.GetGuid(0)), row.GetGuid(1), row.GetInt32(2)),
            ct);

    /// <summary>Deletes workflows that ended before the time, with their steps, gates, decisions and events.</summary>
    public Task<int> DeleteEndedAsync(TimeSpan retention, int limit, CancellationToken ct) =>
        db.ExecuteAsync(
            DbScope.AllTenants,
            """
            WITH old AS (
                SELECT tenant_id, id
                FROM viral.workflows
                WHERE completed_at < now() - $1
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            ), events AS (
                DELETE FROM viral.events AS event
                USING old
                WHERE event.tenant_id = old.tenant_id AND event.subject_id = old.id
            )
            DELETE FROM viral.workflows AS workflow
            USING old
            WHERE workflow.tenant_id = old.tenant_id AND workflow.id = old.id
            """,
            [retention, limit],
            ct);
}

public sealed record UnattendedWorkflow(TenantId Tenant, Guid Id, int Run);
