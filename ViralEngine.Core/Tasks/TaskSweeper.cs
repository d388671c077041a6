using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>Finds tasks that wait without a lane.</summary>
public sealed class TaskSweeper(Db db)
{
    private const int MaxCounted = 20_000;

    /// <summary>
    /// How many tasks are due, will be within <paramref name="soon"/>, or were left by dead workers, up to a bound; and
    /// how long the oldest has waited.
    /// </summary>
    public async Task<TaskBacklog> LookAsync(TimeSpan soon, CancellationToken ct)
    {
        var backlog = await db.QueryOneAsync(
            DbScope.AllTenants,
            """
            SELECT due.tasks + later.tasks + lapsed.tasks, due.oldest
            FROM (
                SELECT count(*) AS tasks, COALESCE(EXTRACT(EPOCH FROM now() - min(due_at)), 0)::float8 AS oldest
                FROM (SELECT due_at FROM viral.tasks WHERE status = 'pending' AND ready LIMIT $1) AS found
            ) AS due
            CROSS JOIN (
                SELECT count(*) AS tasks
                FROM (
                    SELECT
                    FROM viral.tasks
                    WHERE status = 'pending' AND NOT ready AND due_at < now() + $2
                    LIMIT $1
                ) AS found
            ) AS later
            CROSS JOIN (
                SELECT count(*) AS tasks
                FROM (SELECT FROM viral.tasks WHERE status = 'in_progress' AND lease_until < now() LIMIT $1) AS found
            ) AS lapsed
            """,
            [MaxCounted, soon],
            row => new TaskBacklog(row.GetInt64(0), TimeSpan.FromSeconds(Math.Max(0, row.GetDouble(1)))),
            ct);
        TaskMetrics.OldestDue(backlog!.Oldest);
        return backlog;
    }
}

/// <param name="Tasks">The number of tasks that wait for a lane.</param>
/// <param name="Oldest">How long the oldest has waited.</param>
public sealed record TaskBacklog(long Tasks, TimeSpan Oldest);
