using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Workflows;

/// <summary>Finds the tasks of workflow steps, which only their workflow may retry.</summary>
public sealed class WorkflowTasks(Db db)
{
    /// <summary>The workflow that a task belongs to; null for none.</summary>
    public Task<Guid?> WorkflowOfAsync(TenantId tenant, Guid taskId, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            "SELECT workflow_id FROM viral.tasks WHERE tenant_id = $1 AND id = $2 AND workflow_id IS NOT NULL",
            [tenant.Value, taskId],
            row => (Guid?)row.GetGuid(0),
            ct);
}
