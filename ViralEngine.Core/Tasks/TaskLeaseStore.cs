using System.Text.Json;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// A worker's side of tasks in PostgreSQL. Leases run by the database's clock; a write under a lease that was lost changes
/// nothing and says so.
/// </summary>
public sealed class TaskLeaseStore(Db db, TaskGroups groups)
{
    /// <summary>Takes the task up where it is due, free and admitted by the plan, with the next attempt number.</summary>
    public async Task<TaskClaim> ClaimAsync(TenantId tenant, Guid taskId, CancellationToken ct)
    {
        if (await groups.ClaimAsync(tenant, taskId) is { } attempt)
            return new TaskClaim.Taken(attempt);

        var (found, lookAt, abandoned) = await db.QueryOneAsync(
            tenant,
            """
            SELECT CASE
                       WHEN GREATEST(due_at, lease_until) > now() THEN GREATEST(due_at, lease_until)
                       -- The further behind in the plan's queue, the longer until it is worth another look.
                       ELSE now() + interval '300 milliseconds' + interval '20 milliseconds' * (
                           SELECT count(*)
                           FROM (
                               SELECT
                               FROM viral.tasks AS ahead
                               WHERE ahead.tenant_id = $1 AND ahead.status = 'pending' AND ahead.due_at <= now()
                                 AND (ahead.priority > tasks.priority OR (ahead.priority = tasks.priority AND ahead.id < tasks.id))
                               LIMIT 1000
                           ) AS ahead)
                   END,
                   cancel_requested_at IS NOT NULL AND COALESCE(lease_until < now(), true)
            FROM viral.tasks
            WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'in_progress')
            """,
            [tenant.Value, taskId],
            row => (true, row.GetDateTime(0), row.GetBoolean(1)),
            ct);
        if (!found)
            return new TaskClaim.Nothing();
        if (!abandoned)
            return new TaskClaim.NotBefore(lookAt);

        // The worker that was to be told of the cancellation is gone: it ends here.
        await EndCancelledAsync(tenant, taskId, attempt: null, streamBase: null, ct);
        return new TaskClaim.Nothing();
    }

    /// <summary>Stores the answer and ends the task. False: the lease was lost, nothing changed.</summary>
    public Task<bool> CompleteAsync(TenantId tenant, Guid taskId, int attempt, TaskAnswer answer) =>
        groups.CompleteAsync(tenant, new FinishedAttempt(taskId, attempt, answer));

    /// <summary>
    /// Ends the attempt with an error: the task waits <paramref name="retryAfter"/> for its next attempt, or fails for good
    /// where that is null. False: the lease was lost.
    /// </summary>
    public Task<bool> FailAsync(
        TenantId tenant, Guid taskId, TaskError error, int streamBase, TimeSpan? retryAfter, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            WITH ended AS (
                UPDATE viral.tasks
                SET status = CASE WHEN $5::interval IS NULL THEN 'failed' ELSE 'pending' END,
                    completed_at = CASE WHEN $5::interval IS NULL THEN now() END,
                    due_at = now() + COALESCE($5, interval '0'),
                    check_at = now() + COALESCE($5, interval '0') + interval '10 seconds',
                    error = $4::jsonb, failed_attempts = failed_attempts + 1, stream_base = $6, lease_until = NULL,
                    updated_at = now(), last_event = last_event + 1
                WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND status = 'in_progress'
                RETURNING tenant_id, id, status, due_at, last_event
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event,
                       CASE WHEN status = 'failed' THEN 'task.failed' ELSE 'task.retrying' END,
                       jsonb_build_object('status', status, 'error', $4::jsonb)
                       || CASE WHEN status = 'failed' THEN '{}' ELSE jsonb_build_object('next_attempt_at', due_at) END,
                       now()
                FROM ended
            )
            SELECT true
            FROM ended
            """,
            [
                tenant.Value, taskId, error.Attempt, JsonSerializer.Serialize(error, TaskJson.Default.TaskError), retryAfter,
                streamBase,
            ],
            row => row.GetBoolean(0),
            ct);

    /// <summary>Ends a task whose cancellation was asked for; without an attempt, one whose lease has lapsed.</summary>
    public Task<bool> EndCancelledAsync(
        TenantId tenant, Guid taskId, int? attempt, int? streamBase, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            WITH ended AS (
                UPDATE viral.tasks
                SET status = 'cancelled', completed_at = now(), lease_until = NULL, updated_at = now(),
                    stream_base = COALESCE($4::integer, stream_base), last_event = last_event + 1
                WHERE tenant_id = $1 AND id = $2 AND status = 'in_progress' AND cancel_requested_at IS NOT NULL
                  AND (attempt = $3 OR ($3::integer IS NULL AND lease_until < now()))
                RETURNING tenant_id, id, last_event
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, 'task.cancelled', jsonb_build_object('status', 'cancelled'), now()
                FROM ended
            )
            SELECT true
            FROM ended
            """,
            [tenant.Value, taskId, attempt, streamBase],
            row => row.GetBoolean(0),
            ct);

    /// <summary>Gives the task back unfinished, for another worker to take up at once.</summary>
    public Task<int> ReleaseAsync(TenantId tenant, Guid taskId, int attempt, int streamBase, CancellationToken ct) =>
        db.ExecuteAsync(
            tenant,
            """
            UPDATE viral.tasks
            SET status = 'pending', lease_until = NULL, due_at = now(), check_at = now(), stream_base = $4, updated_at = now()
            WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND status = 'in_progress'
            """,
            [tenant.Value, taskId, attempt, streamBase],
            ct);

    /// <summary>Numbers this attempt's stream on from what the worker before it left behind.</summary>
    public Task<int> MoveStreamAsync(TenantId tenant, Guid taskId, int attempt, int streamBase, CancellationToken ct) =>
        db.ExecuteAsync(
            tenant,
            "UPDATE viral.tasks SET stream_base = $4 WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND status = 'in_progress'",
            [tenant.Value, taskId, attempt, streamBase],
            ct);

    /// <summary>Notes how far the task is, as an event of its own. False: the lease was lost.</summary>
    public Task<bool> ReportProgressAsync(
        TenantId tenant, Guid taskId, int attempt, double fraction, string? message, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            WITH noted AS (
                UPDATE viral.tasks
                SET progress = $4, updated_at = now(), last_event = last_event + 1
                WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND status = 'in_progress'
                RETURNING tenant_id, id, last_event
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, 'task.progress',
                       jsonb_strip_nulls(jsonb_build_object('status', 'in_progress', 'progress', $4::float8, 'message', $5::text)),
                       now()
                FROM noted
            )
            SELECT true
            FROM noted
            """,
            [tenant.Value, taskId, attempt, fraction, message],
            row => row.GetBoolean(0),
            ct);
}

/// <summary>How long a worker that says nothing keeps a task.</summary>
public sealed record TaskLeaseOptions(TimeSpan Lease)
{
    public static TaskLeaseOptions Default { get; } = new(TimeSpan.FromSeconds(10));
}
