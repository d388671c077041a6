using System.Text.Json;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Events;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Tasks in PostgreSQL for workers. Leases use the database's clock; a write under a lost lease changes nothing and
/// returns false.
/// </summary>
public sealed class TaskLeaseStore(NpgsqlDataSource dataSource, TaskGroups groups)
{
    /// <summary>Stores the answer and ends the task. False if the lease was lost and nothing changed.</summary>
    public Task<bool> CompleteAsync(TenantId tenant, Guid taskId, int attempt, TaskAnswer answer) =>
        groups.CompleteAsync(tenant, new FinishedAttempt(taskId, attempt, answer));

    /// <summary>
    /// Ends the attempt with an error: the task waits <paramref name="retryAfter"/> for its next attempt, or fails
    /// permanently if that is null. False if the lease was lost.
    /// </summary>
    public Task<bool> FailAsync(
        TenantId tenant, Guid taskId, int attempt, TaskError error, int streamBase, AgentUsage? used,
        TimeSpan? retryAfter, CancellationToken ct) =>
        InOneAsync(db => db.QueryOneAsync(
            tenant,
            $$"""
            WITH ended AS (
                UPDATE viral.tasks
                SET status = CASE WHEN $5::interval IS NULL THEN 'failed' ELSE 'pending' END,
                    completed_at = CASE WHEN $5::interval IS NULL THEN now() END,
                    due_at = now() + COALESCE($5, interval '0'), ready = $5::interval IS NULL,
                    input_tokens = CASE WHEN $7::bigint IS NULL THEN input_tokens
                        ELSE COALESCE(input_tokens, 0) + $7 END,
                    output_tokens = CASE WHEN $8::bigint IS NULL THEN output_tokens
                        ELSE COALESCE(output_tokens, 0) + $8 END,
                    cost_usd = CASE WHEN $9::numeric IS NULL THEN cost_usd ELSE COALESCE(cost_usd, 0) + $9 END,
                    error = $4::jsonb, failed_attempts = failed_attempts + 1, stream_base = $6, lease_until = NULL,
                    waiting_for = NULL,
                    updated_at = now(), last_event = last_event + 1
                WHERE tenant_id = $1 AND id = $2 AND attempt = $3
                  AND (status = 'in_progress' OR (status = 'pending' AND lease_until IS NOT NULL))
                RETURNING tenant_id, id, status, due_at, last_event, agent_id
            ), attempts AS (
                SELECT agent_id, 0 AS completed, (status = 'failed')::integer AS failed,
                       (status <> 'failed')::integer AS retried,
                       COALESCE($7::bigint, 0) AS input_tokens, COALESCE($8::bigint, 0) AS output_tokens,
                       COALESCE($9::numeric, 0) AS cost_usd, {{MetricRecording.NoTimes}}
                FROM ended
            ), {{MetricRecording.Added}}, event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event,
                       CASE WHEN status = 'failed' THEN '{{EventTypes.TaskFailed}}'
                           ELSE '{{EventTypes.TaskRetrying}}' END,
                       jsonb_build_object('status', status, 'error', $4::jsonb)
                       || CASE WHEN status = 'failed' THEN '{}' ELSE jsonb_build_object('next_attempt_at', due_at) END
                       || CASE WHEN $7::bigint IS NULL THEN '{}'
                           ELSE jsonb_build_object('attempt_usage', jsonb_strip_nulls(
                           jsonb_build_object('input_tokens', $7::bigint, 'output_tokens', $8::bigint, 'cost_usd',
                               $9::numeric))) END,
                       now()
                FROM ended
            )
            SELECT true
            FROM ended
            """,
            [
                tenant.Value, taskId, attempt, JsonSerializer.Serialize(error, TaskJson.Default.TaskError), retryAfter,
                streamBase, used?.InputTokens, used?.OutputTokens, used?.CostUsd,
            ],
            row => row.GetBoolean(0),
            ct));

    /// <summary>Ends a task whose cancellation was requested.</summary>
    public Task<bool> EndCancelledAsync(
        TenantId tenant, Guid taskId, int attempt, int streamBase, AgentUsage? used, CancellationToken ct) =>
        InOneAsync(db => db.QueryOneAsync(
            tenant,
            $$"""
            WITH ended AS (
                UPDATE viral.tasks
                SET status = 'cancelled', completed_at = now(), lease_until = NULL, waiting_for = NULL,
                    updated_at = now(),
                    input_tokens = CASE WHEN $5::bigint IS NULL THEN input_tokens
                        ELSE COALESCE(input_tokens, 0) + $5 END,
                    output_tokens = CASE WHEN $6::bigint IS NULL THEN output_tokens
                        ELSE COALESCE(output_tokens, 0) + $6 END,
                    cost_usd = CASE WHEN $7::numeric IS NULL THEN cost_usd ELSE COALESCE(cost_usd, 0) + $7 END,
                    stream_base = $4, last_event = last_event + 1
                WHERE tenant_id = $1 AND id = $2 AND status = 'in_progress' AND cancel_requested_at IS NOT NULL
                  AND attempt = $3
                RETURNING tenant_id, id, last_event, agent_id
            ), attempts AS (
                -- It neither succeeded nor failed; what it has used is paid.
                SELECT agent_id, 0 AS completed, 0 AS failed, 0 AS retried, $5::bigint AS input_tokens,
                       COALESCE($6::bigint, 0) AS output_tokens, COALESCE($7::numeric, 0) AS cost_usd,
                       {{MetricRecording.NoTimes}}
                FROM ended
                WHERE $5::bigint IS NOT NULL
            ), {{MetricRecording.Added}}, event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.TaskCancelled}}',
                       jsonb_build_object('status', 'cancelled')
                       || CASE WHEN $5::bigint IS NULL THEN '{}'
                           ELSE jsonb_build_object('attempt_usage', jsonb_strip_nulls(
                           jsonb_build_object('input_tokens', $5::bigint, 'output_tokens', $6::bigint, 'cost_usd',
                               $7::numeric))) END,
                       now()
                FROM ended
            )
            SELECT true
            FROM ended
            """,
            [tenant.Value, taskId, attempt, streamBase, used?.InputTokens, used?.OutputTokens, used?.CostUsd],
            row => row.GetBoolean(0),
            ct));

    /// <summary>Releases the task unfinished, for another worker to claim immediately.</summary>
    public Task<int> ReleaseAsync(
        TenantId tenant, Guid taskId, int attempt, int streamBase, AgentUsage? used, CancellationToken ct) =>
        InOneAsync(db => db.ExecuteAsync(
            tenant,
            """
            UPDATE viral.tasks
            SET status = 'pending', lease_until = NULL, due_at = now(), ready = true, stream_base = $4,
                input_tokens = CASE WHEN $5::bigint IS NULL THEN input_tokens ELSE COALESCE(input_tokens, 0) + $5 END,
                output_tokens = CASE WHEN $6::bigint IS NULL THEN output_tokens
                    ELSE COALESCE(output_tokens, 0) + $6 END,
                cost_usd = CASE WHEN $7::numeric IS NULL THEN cost_usd ELSE COALESCE(cost_usd, 0) + $7 END,
                updated_at = now()
            WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND status = 'in_progress'
            """,
            [tenant.Value, taskId, attempt, streamBase, used?.InputTokens, used?.OutputTokens, used?.CostUsd],
            ct));

    /// <summary>
    /// Releases the task without a call: it waits <paramref name="wait"/>, and the attempt does not count.
    /// </summary>
    public Task<bool> HoldAsync(
        TenantId tenant, Guid taskId, int attempt, int streamBase, string waitingFor, TimeSpan wait,
        CancellationToken ct) =>
        InOneAsync(db => db.QueryOneAsync(
            tenant,
            $$"""
            WITH before AS (
                SELECT tenant_id, id, waiting_for IS NOT DISTINCT FROM $5 AS told
                FROM viral.tasks
                WHERE tenant_id = $1 AND id = $2
                FOR UPDATE
            ), held AS (
                UPDATE viral.tasks AS task
                SET status = 'pending', lease_until = NULL, due_at = now() + $6, ready = $6 <= interval '0',
                    stream_base = $4,
                    waiting_for = $5, begun = true, held_attempts = task.held_attempts + 1, updated_at = now(),
                    last_event = task.last_event + (NOT before.told)::integer
                FROM before
                WHERE task.tenant_id = $1 AND task.id = $2 AND task.attempt = $3 AND task.status = 'in_progress'
                RETURNING task.tenant_id, task.id, task.due_at, task.last_event, before.told
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.TaskWaiting}}',
                       jsonb_build_object('status', 'pending', 'waiting_for', $5::text, 'next_attempt_at', due_at),
                       now()
                FROM held
                WHERE NOT told
            )
            SELECT true
            FROM held
            """,
            [tenant.Value, taskId, attempt, streamBase, waitingFor, wait],
            row => row.GetBoolean(0),
            ct));

    /// <summary>Continues the numbering of this attempt's stream after that of a dead worker.</summary>
    public Task<int> MoveStreamAsync(TenantId tenant, Guid taskId, int attempt, int streamBase, CancellationToken ct) =>
        InOneAsync(db => db.ExecuteAsync(
            tenant,
            "UPDATE viral.tasks SET stream_base = $4 "
            + "WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND status = 'in_progress'",
            [tenant.Value, taskId, attempt, streamBase],
            ct));

    /// <summary>Stores the task's progress as an event. False if the lease was lost.</summary>
    public Task<bool> ReportProgressAsync(
        TenantId tenant, Guid taskId, int attempt, double fraction, string? message, CancellationToken ct) =>
        InOneAsync(db => db.QueryOneAsync(
            tenant,
            $$"""
            WITH noted AS (
                UPDATE viral.tasks
                SET progress = $4, updated_at = now(), last_event = last_event + 1
                WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND status = 'in_progress'
                RETURNING tenant_id, id, last_event
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.TaskProgress}}',
                       jsonb_strip_nulls(jsonb_build_object('status', 'in_progress', 'progress', $4::float8, 'message',
                           $5::text)),
                       now()
                FROM noted
            )
            SELECT true
            FROM noted
            """,
            [tenant.Value, taskId, attempt, fraction, message],
            row => row.GetBoolean(0),
            ct));

    /// <summary>Each call uses its own connection, because many run concurrently.</summary>
    private async Task<T> InOneAsync<T>(Func<Db, Task<T>> callAsync)
    {
        await using var db = new Db(dataSource);
        return await callAsync(db);
    }
}

/// <summary>How long a worker keeps a task without renewal.</summary>
public sealed record TaskLeaseOptions(TimeSpan Lease)
{
    public static TaskLeaseOptions Default { get; } = new(TimeSpan.FromSeconds(10));
}
