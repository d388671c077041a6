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

    /// <summary>
    /// Takes up those of the tasks that may be: for each its attempt or null. Where the plan limits how many run, those of higher
    /// priority and those that came before go first.
    /// </summary>
    internal static async Task<IReadOnlyList<TaskAttempt?>> TakeAsync(
        Db db, TenantId tenant, IReadOnlyList<Guid> ids, TaskLeaseOptions options, TaskAdmission admission, CancellationToken ct)
    {
        await using var batch = db.Batch(tenant);
        if (admission.IsLimited)
        {
            // Claims of a limited tenant take turns: two at once must not both take the last slot.
            batch.Add(
                """
                SELECT pg_advisory_xact_lock(hashtextextended('admission ' || id, 0))
                FROM viral.organizations
                WHERE id = $1 AND plan = ANY ($2)
                """,
                [tenant.Value, admission.Plans]);
        }

        batch.Add(
            """
            WITH slots AS (
                SELECT allowed.most
                FROM viral.organizations AS organization
                JOIN unnest($4::text[], $5::integer[]) AS allowed (plan, most) ON allowed.plan = organization.plan
                WHERE organization.id = $1
            ), free AS (
                SELECT id, status = 'in_progress' AS taken_over
                FROM viral.tasks
                WHERE tenant_id = $1 AND id = ANY ($2) AND status IN ('pending', 'in_progress') AND due_at <= now()
                  AND (lease_until IS NULL OR lease_until < now())
                  AND cancel_requested_at IS NULL
                  AND (status = 'in_progress' OR NOT EXISTS (SELECT FROM slots) OR id IN (
                      SELECT waiting.id
                      FROM viral.tasks AS waiting
                      WHERE waiting.tenant_id = $1 AND waiting.status = 'pending' AND waiting.due_at <= now()
                        AND waiting.cancel_requested_at IS NULL
                      ORDER BY waiting.priority DESC, waiting.id
                      LIMIT GREATEST((SELECT most FROM slots) - (
                          SELECT count(*)
                          FROM viral.tasks AS running
                          WHERE running.tenant_id = $1 AND running.status = 'in_progress'
                      ), 0)
                  ))
                FOR UPDATE
            ), claimed AS (
                UPDATE viral.tasks AS task
                SET status = 'in_progress', attempt = task.attempt + 1, last_event = task.last_event + 1,
                    lease_until = now() + $3, check_at = now() + $3 + interval '5 seconds',
                    lost_attempts = task.lost_attempts + free.taken_over::integer,
                    started_at = COALESCE(task.started_at, now()), updated_at = now()
                FROM free
                WHERE task.tenant_id = $1 AND task.id = ANY ($2) AND task.id = free.id
                RETURNING task.id, task.attempt, task.agent_id, task.description, task.input, task.timeout_seconds,
                          task.max_attempts, task.failed_attempts, task.lost_attempts, task.stream_base, task.last_event,
                          free.taken_over
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT $1, id, last_event, 'task.started', jsonb_build_object('status', 'in_progress', 'attempt', attempt), now()
                FROM claimed
            )
            SELECT id, attempt, agent_id, description, input::text, timeout_seconds, max_attempts, failed_attempts,
                   lost_attempts, stream_base, taken_over
            FROM claimed
            """,
            [tenant.Value, ids.ToArray(), options.Lease, admission.Plans, admission.Most]);

        var taken = new Dictionary<Guid, TaskAttempt>(ids.Count);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (admission.IsLimited)
            await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var attempt = new TaskAttempt(
                reader.GetGuid(0),
                reader.GetInt32(1),
                reader.GetString(2),
                reader.GetString(3),
                TaskRow.Json(reader, 4),
                TimeSpan.FromSeconds(reader.GetInt32(5)),
                reader.GetInt16(6),
                reader.GetInt32(7),
                reader.GetInt32(8),
                reader.GetInt32(9),
                reader.GetBoolean(10));
            taken.Add(attempt.TaskId, attempt);
        }

        return [.. ids.Select(taken.GetValueOrDefault)];
    }

    /// <summary>Stores the answer and ends the task. False: the lease was lost, nothing changed.</summary>
    public Task<bool> CompleteAsync(TenantId tenant, Guid taskId, int attempt, TaskAnswer answer) =>
        groups.CompleteAsync(tenant, new FinishedAttempt(taskId, attempt, answer));

    internal static async Task<IReadOnlyList<bool>> CompleteAsync(
        Db db, TenantId tenant, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct)
    {
        var ended = await db.QueryAsync(
            tenant,
            """
            WITH ended AS (
                UPDATE viral.tasks AS task
                SET status = 'completed', result = answer.result, chunk_lengths = answer.chunk_lengths::integer[],
                    stream_base = answer.stream_base, answered_by = answer.answered_by, input_tokens = answer.input_tokens,
                    output_tokens = answer.output_tokens, cost_usd = answer.cost_usd, error = NULL, lease_until = NULL,
                    completed_at = now(), updated_at = now(), last_event = last_event + 1
                FROM unnest(
                    $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::bigint[], $9::bigint[],
                    $10::numeric[]
                ) AS answer (
                    id, attempt, result, chunk_lengths, stream_base, answered_by, input_tokens, output_tokens, cost_usd)
                -- ANY: else a plan made when the tenant had few tasks may read all of them.
                WHERE task.tenant_id = $1 AND task.id = ANY ($2) AND task.id = answer.id AND task.attempt = answer.attempt
                  AND task.status = 'in_progress'
                RETURNING task.id, task.attempt, task.last_event, task.answered_by
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT $1, id, last_event, 'task.completed',
                       jsonb_build_object('status', 'completed', 'attempt', attempt, 'answered_by', answered_by), now()
                FROM ended
            )
            SELECT id
            FROM ended
            """,
            [
                tenant.Value,
                attempts.Select(attempt => attempt.TaskId).ToArray(),
                attempts.Select(attempt => attempt.Attempt).ToArray(),
                attempts.Select(attempt => attempt.Answer.Text).ToArray(),
                attempts.Select(attempt => ArrayLiteral.Of(attempt.Answer.ChunkLengths)).ToArray(),
                attempts.Select(attempt => attempt.Answer.StreamBase).ToArray(),
                attempts.Select(attempt => attempt.Answer.AnsweredBy).ToArray(),
                attempts.Select(attempt => attempt.Answer.Usage?.InputTokens).ToArray(),
                attempts.Select(attempt => attempt.Answer.Usage?.OutputTokens).ToArray(),
                attempts.Select(attempt => attempt.Answer.Usage?.CostUsd).ToArray(),
            ],
            row => row.GetGuid(0),
            ct);
        return [.. attempts.Select(attempt => ended.Contains(attempt.TaskId))];
    }

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
