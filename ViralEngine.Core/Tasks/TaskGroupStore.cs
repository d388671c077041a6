using ViralEngine.Core.Events;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>The statements of <see cref="TaskGroups"/>, each for many tasks of one tenant.</summary>
internal static class TaskGroupStore
{
    /// <summary>Stores tasks up to the month's limit. Returns for each its creation time, or null.</summary>
    public static async Task<IReadOnlyList<DateTime?>> InsertAsync(
        Db db, TenantId tenant, IReadOnlyList<NewTask> tasks, CancellationToken ct)
    {
        var stored = await db.QueryAsync(
            tenant,
            $$"""
            WITH month AS (
                SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date AS first
            ), task AS (
                INSERT INTO viral.tasks (
                    tenant_id, id, status, agent_id, description, input, priority, tags, metadata, timeout_seconds,
                    max_attempts, scheduled_at, created_by, created_at, updated_at, due_at, ready, workflow_id,
                    workflow_run, trace_parent)
                SELECT $1, id, 'pending', agent_id, description, input::json, priority, tags::text[], metadata::json,
                       timeout_seconds,
                       max_attempts, scheduled_at, created_by, now(), now(), COALESCE(scheduled_at, now()),
                       COALESCE(scheduled_at <= now(), true), workflow_id, workflow_run, trace_parent
                FROM unnest(
                    $2::uuid[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::text[],
                    $9::integer[],
                    $10::smallint[], $11::timestamptz[], $12::text[], $14::uuid[], $15::integer[],
                    $16::text[]
                ) WITH ORDINALITY AS asked (
                    id, agent_id, description, input, priority, tags, metadata, timeout_seconds,
                    max_attempts, scheduled_at, created_by, workflow_id, workflow_run, trace_parent, number)
                WHERE $13 = 0 OR number <= $13 - (
                    SELECT COALESCE(sum(submitted), 0)
                    FROM viral.task_counts
                    WHERE tenant_id = $1 AND month = (SELECT first FROM month))
                RETURNING id, status, agent_id, created_at
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT $1, id, 1, '{{EventTypes.TaskCreated}}',
                       jsonb_build_object('status', status, 'agent_id', agent_id), created_at
                FROM task
            ), counted AS (
                INSERT INTO viral.task_counts AS counts (tenant_id, month, slot, submitted)
                SELECT $1, first, pg_backend_pid() % 64, (SELECT count(*) FROM task)
                FROM month
                WHERE EXISTS (SELECT FROM task)
                ON CONFLICT (tenant_id, month, slot) DO UPDATE
                SET submitted = counts.submitted + EXCLUDED.submitted
            )
            SELECT id, created_at
            FROM task
            """,
            [
                tenant.Value,
                tasks.Select(task => task.Id).ToArray(),
                tasks.Select(task => task.AgentId).ToArray(),
                tasks.Select(task => task.Description).ToArray(),
                tasks.Select(task => task.InputJson).ToArray(),
                tasks.Select(task => (short)task.Priority).ToArray(),
                tasks.Select(task => ArrayLiteral.Of(task.Tags)).ToArray(),
                tasks.Select(task => task.MetadataJson).ToArray(),
                tasks.Select(task => task.TimeoutSeconds).ToArray(),
                tasks.Select(task => (short)task.MaxAttempts).ToArray(),
                tasks.Select(task => task.ScheduledAt).ToArray(),
                tasks.Select(task => task.CreatedBy).ToArray(),
                tasks[0].MaxPerMonth,
                tasks.Select(task => task.Workflow?.Id).ToArray(),
                tasks.Select(task => task.Workflow?.Run).ToArray(),
                tasks.Select(task => task.TraceParent).ToArray(),
            ],
            row => (Id: row.GetGuid(0), At: row.GetDateTime(1)),
            ct);
        var times = stored.ToDictionary(task => task.Id, task => task.At);
        return [.. tasks.Select(task => times.TryGetValue(task.Id, out var at) ? at : (DateTime?)null)];
    }

    /// <summary>Reads tasks. Returns null for those that do not exist.</summary>
    public static async Task<IReadOnlyList<AgentTask?>> ReadAsync(
        Db db, TenantId tenant, IReadOnlyList<Guid> ids, CancellationToken ct)
    {
        var found = (await db.QueryAsync(
            tenant,
            $"""
            SELECT {TaskRow.Columns}
            FROM viral.tasks
            WHERE tenant_id = $1 AND id = ANY ($2)
            """,
            [tenant.Value, ids.Distinct().ToArray()],
            TaskRow.Read,
            ct)).ToDictionary(task => task.Id);
        return [.. ids.Select(found.GetValueOrDefault)];
    }

    /// <summary>
    /// Stores answers and ends their tasks. Returns for each whether it counted: an expired lease still counts unless
    /// the task was claimed again.
    /// </summary>
    public static async Task<IReadOnlyList<bool>> CompleteAsync(
        Db db, TenantId tenant, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct)
    {
        var ended = (await db.QueryAsync(
            tenant,
            $$"""
            WITH ended AS (
                UPDATE viral.tasks AS task
                SET status = 'completed', result = answer.result, chunk_lengths = answer.chunk_lengths::integer[],
                    stream_base = answer.stream_base, answered_by = answer.answered_by,
                    finish_reason = answer.finish_reason,
                    input_tokens = CASE WHEN answer.input_tokens IS NULL THEN task.input_tokens
                        ELSE COALESCE(task.input_tokens, 0) + answer.input_tokens END,
                    output_tokens = CASE WHEN answer.output_tokens IS NULL THEN task.output_tokens
                        ELSE COALESCE(task.output_tokens, 0) + answer.output_tokens END,
                    cost_usd = CASE WHEN answer.cost_usd IS NULL THEN task.cost_usd
                        ELSE COALESCE(task.cost_usd, 0) + answer.cost_usd END,
                    error = NULL, lease_until = NULL, waiting_for = NULL,
                    completed_at = now(), updated_at = now(), last_event = last_event + 1
                FROM unnest(
                    $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::bigint[],
                    $9::bigint[],
                    $10::numeric[], $11::text[], $12::double precision[]
                ) AS answer (
                    id, attempt, result, chunk_lengths, stream_base, answered_by, input_tokens, output_tokens, cost_usd,
                    finish_reason, first_token)
                -- ANY: else a plan made when the tenant had few tasks may read all of them.
                WHERE task.tenant_id = $1 AND task.id = ANY ($2) AND task.id = answer.id
                    AND task.attempt = answer.attempt
                  AND (task.status = 'in_progress' OR (task.status = 'pending' AND task.lease_until IS NOT NULL))
                RETURNING task.id, task.attempt - task.held_attempts AS attempt, task.last_event, task.answered_by,
                          task.finish_reason, answer.first_token, answer.input_tokens, answer.output_tokens,
                          answer.cost_usd, task.agent_id,
                          extract(epoch FROM now() - COALESCE(
                              CASE WHEN task.attempt - task.held_attempts > 1 THEN (
                                  SELECT started.created_at
                                  FROM viral.events AS started
                                  WHERE started.tenant_id = $1 AND started.subject_id = task.id
                                    AND started.type = '{{EventTypes.TaskStarted}}'
                                  ORDER BY started.number DESC
                                  LIMIT 1) END,
                              task.started_at, now()))::double precision AS seconds
            ), attempts AS (
                SELECT agent_id, count(*) AS completed, 0 AS failed, 0 AS retried,
                       COALESCE(sum(input_tokens), 0) AS input_tokens,
                       COALESCE(sum(output_tokens), 0) AS output_tokens, COALESCE(sum(cost_usd), 0) AS cost_usd,
                       array_agg(viral.latency_bucket(seconds)) AS latencies,
                       sum(ln(GREATEST(seconds, 0.001))) AS latency_log_sum,
                       COALESCE(array_agg(viral.latency_bucket(first_token)) FILTER (WHERE first_token IS NOT NULL),
                           '{}') AS first_tokens
                FROM ended
                GROUP BY agent_id
            ), {{MetricRecording.Added}}, event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT $1, id, last_event, '{{EventTypes.TaskCompleted}}',
                       jsonb_strip_nulls(jsonb_build_object(
                           'status', 'completed', 'attempt', attempt, 'answered_by', answered_by,
                           'finish_reason', finish_reason, 'time_to_first_token_seconds', first_token,
                           'attempt_usage', CASE WHEN input_tokens IS NOT NULL THEN jsonb_build_object(
                               'input_tokens', input_tokens, 'output_tokens', output_tokens, 'cost_usd',
                               cost_usd) END)),
                       now()
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
                attempts.Select(attempt => attempt.Answer.Used?.InputTokens).ToArray(),
                attempts.Select(attempt => attempt.Answer.Used?.OutputTokens).ToArray(),
                attempts.Select(attempt => attempt.Answer.Used?.CostUsd).ToArray(),
                attempts.Select(attempt => attempt.Answer.FinishReason).ToArray(),
                attempts.Select(attempt => attempt.Answer.TimeToFirstToken?.TotalSeconds).ToArray(),
            ],
            row => row.GetGuid(0),
            ct)).ToHashSet();
        return [.. attempts.Select(attempt => ended.Contains(attempt.TaskId))];
    }
}

/// <summary>A successful attempt.</summary>
internal sealed record FinishedAttempt(Guid TaskId, int Attempt, TaskAnswer Answer);
