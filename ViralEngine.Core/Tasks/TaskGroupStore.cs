using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>The statements of <see cref="TaskGroups"/>, each for many tasks of one tenant.</summary>
internal static class TaskGroupStore
{
    /// <summary>Stores tasks as far as the month's limit lets them; gives for each when, or null.</summary>
    public static async Task<IReadOnlyList<DateTime?>> InsertAsync(
        Db db, TenantId tenant, IReadOnlyList<NewTask> tasks, CancellationToken ct)
    {
        var stored = await db.QueryAsync(
            tenant,
            """
            WITH month AS (
                SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date AS first
            ), task AS (
                INSERT INTO viral.tasks (
                    tenant_id, id, status, agent_id, description, input, priority, tags, metadata, timeout_seconds,
                    max_attempts, scheduled_at, created_by, created_at, updated_at, due_at, check_at)
                SELECT $1, id, 'pending', agent_id, description, input::json, priority, tags::text[], metadata::json, timeout_seconds,
                       max_attempts, scheduled_at, created_by, now(), now(), COALESCE(scheduled_at, now()),
                       GREATEST(scheduled_at - interval '10 seconds', now() + interval '10 seconds')
                FROM unnest(
                    $2::uuid[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::text[], $9::integer[],
                    $10::smallint[], $11::timestamptz[], $12::text[]
                ) WITH ORDINALITY AS asked (
                    id, agent_id, description, input, priority, tags, metadata, timeout_seconds,
                    max_attempts, scheduled_at, created_by, number)
                WHERE $13 = 0 OR number <= $13 - (
                    SELECT COALESCE(sum(submitted), 0)
                    FROM viral.task_counts
                    WHERE tenant_id = $1 AND month = (SELECT first FROM month))
                RETURNING id, status, agent_id, created_at
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT $1, id, 1, 'task.created', jsonb_build_object('status', status, 'agent_id', agent_id), created_at
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
                tasks[0].MostPerMonth,
            ],
            row => (Id: row.GetGuid(0), At: row.GetDateTime(1)),
            ct);
        var times = stored.ToDictionary(task => task.Id, task => task.At);
        return [.. tasks.Select(task => times.TryGetValue(task.Id, out var at) ? at : (DateTime?)null)];
    }

    /// <summary>Reads tasks; for each how it stands, or null where there is none.</summary>
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
    /// Takes up those of the tasks that may be: for each its attempt or null. Where the plan limits how many run, those of higher
    /// priority and those that came before go first.
    /// </summary>
    public static async Task<IReadOnlyList<TaskAttempt?>> TakeAsync(
        Db db, TenantId tenant, IReadOnlyList<Guid> ids, TaskLeaseOptions options, TaskAdmission admission, CancellationToken ct)
    {
        await using var batch = db.Batch(tenant);
        admission.AddTurn(batch, tenant, "admission");
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

    /// <summary>Stores answers and ends their tasks; for each whether its lease held.</summary>
    public static async Task<IReadOnlyList<bool>> CompleteAsync(
        Db db, TenantId tenant, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct)
    {
        var ended = (await db.QueryAsync(
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
            ct)).ToHashSet();
        return [.. attempts.Select(attempt => ended.Contains(attempt.TaskId))];
    }
}

/// <summary>An attempt that came to an answer.</summary>
internal sealed record FinishedAttempt(Guid TaskId, int Attempt, TaskAnswer Answer);
