using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Retention;

/// <summary>Deletes ended tasks with their history.</summary>
public sealed class TaskRetention(Db db)
{
    private const int MaxDeleted = 1000;

    /// <summary>
    /// Deletes some of the tasks that ended before <paramref name="before"/>. False if there are none left.
    /// </summary>
    public async Task<bool> SweepSomeAsync(DateTime before, CancellationToken ct)
    {
        var deleted = await db.QueryOneAsync(
            DbScope.AllTenants,
            """
            WITH old AS (
                SELECT tenant_id, id
                FROM viral.tasks
                WHERE created_at < $1 AND completed_at < $1 AND status IN ('completed', 'failed', 'cancelled')
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            ), events AS (
                DELETE FROM viral.events AS event
                USING old
                WHERE event.tenant_id = old.tenant_id AND event.subject_id = old.id
            ), gone AS (
                DELETE FROM viral.tasks AS task
                USING old
                WHERE task.tenant_id = old.tenant_id AND task.id = old.id
                RETURNING task.id
            )
            SELECT count(*)::integer
            FROM gone
            """,
            [before, MaxDeleted],
            row => row.GetInt32(0),
            ct);
        return deleted == MaxDeleted;
    }
}
