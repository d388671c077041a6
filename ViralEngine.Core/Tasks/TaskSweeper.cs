using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>Finds tasks that nobody has looked after when somebody should have, and those whose time is near.</summary>
public sealed class TaskSweeper(Db db)
{
    /// <summary>
    /// Takes up to <paramref name="limit"/> open tasks whose time to be checked has passed, and sets their next for a minute
    /// later: one that needs no help is asked after seldom.
    /// </summary>
    public Task<List<UnattendedTask>> TakeAsync(int limit, CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            """
            WITH late AS (
                SELECT tenant_id, id
                FROM viral.tasks
                WHERE status IN ('pending', 'in_progress') AND check_at < now()
                ORDER BY check_at
                LIMIT $1
                FOR UPDATE SKIP LOCKED
            )
            UPDATE viral.tasks AS task
            SET check_at = now() + interval '1 minute'
            FROM late
            WHERE task.tenant_id = late.tenant_id AND task.id = late.id
            RETURNING task.tenant_id, task.id, task.run, CASE WHEN task.due_at > now() THEN task.due_at END
            """,
            [limit],
            row => new UnattendedTask(
                new TenantId(row.GetGuid(0)), row.GetGuid(1), row.GetInt32(2), row.IsDBNull(3) ? null : row.GetDateTime(3)),
            ct);

    /// <summary>Reports how long the oldest due task has waited, over all tenants: the alarm for a queue that does not move.</summary>
    public async Task MeasureQueueAsync(CancellationToken ct)
    {
        var oldest = await db.QueryOneAsync(
            DbScope.AllTenants,
            """
            SELECT COALESCE(EXTRACT(EPOCH FROM now() - min(due_at)), 0)::float8
            FROM (
                -- Those that wait longest are those to be checked next; a thousand of them tell enough of a million.
                SELECT due_at
                FROM viral.tasks
                WHERE status = 'pending' AND check_at < now() + interval '1 minute'
                ORDER BY check_at
                LIMIT 1000
            ) AS next
            WHERE due_at < now()
            """,
            [],
            row => row.GetDouble(0),
            ct);
        TaskMetrics.OldestDue(TimeSpan.FromSeconds(Math.Max(0, oldest)));
    }
}

/// <param name="DueAt">Null: now.</param>
public sealed record UnattendedTask(TenantId Tenant, Guid Id, int Run, DateTime? DueAt);
