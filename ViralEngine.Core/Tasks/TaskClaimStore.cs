using Npgsql;
using ViralEngine.Core.Events;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Claims single tasks for lanes, of all tenants in one statement. Claims are serialized, so that together they respect
/// each tenant's share and plan.
/// </summary>
public sealed class TaskClaimStore(NpgsqlDataSource dataSource, TaskLeaseOptions options, TaskAdmission admission)
{
    /// <summary>The maximum number of tenants that one claim considers.</summary>
    private const int MaxTenants = 200;

    private Guid from;

    /// <summary>
    /// Claims due tasks for the reserved places: first those of tenants that run the least, then by priority, then by
    /// age. Each gets a lease and the next attempt number.
    /// </summary>
    internal async Task<ClaimedTasks> ClaimAsync(CallSlots.Reserve places, CancellationToken ct)
    {
        await using var db = new Db(dataSource);
        await using var batch = db.Batch(DbScope.AllTenants)
            .Add("SELECT pg_advisory_xact_lock(hashtextextended('task claims', 0))", [])
            .Add(
                """
                UPDATE viral.tasks
                SET ready = true
                WHERE (tenant_id, id) IN (
                    SELECT tenant_id, id
                    FROM viral.tasks
                    WHERE status = 'pending' AND NOT ready AND due_at <= now()
                    ORDER BY due_at
                    LIMIT 1000
                    FOR UPDATE SKIP LOCKED)
                """,
                [])
            .Add(
                $$"""
                WITH RECURSIVE wanting (tenant_id, seen) AS (
                    (
                        SELECT tenant_id, 1
                        FROM viral.tasks
                        WHERE status = 'pending' AND ready AND tenant_id >= $8
                        ORDER BY tenant_id
                        LIMIT 1
                    )
                    UNION ALL
                    SELECT (
                            SELECT task.tenant_id
                            FROM viral.tasks AS task
                            WHERE task.status = 'pending' AND task.ready AND task.tenant_id > wanting.tenant_id
                            ORDER BY task.tenant_id
                            LIMIT 1
                        ), seen + 1
                    FROM wanting
                    WHERE tenant_id IS NOT NULL AND seen < $9
                ), tenants AS (
                    SELECT wanting.tenant_id, running.tasks AS running,
                           LEAST($1, COALESCE(room.places, $6), COALESCE(allowed.most - running.tasks, $1)) AS places
                    FROM wanting
                    CROSS JOIN LATERAL (
                        SELECT count(*)::integer AS tasks
                        FROM viral.tasks AS task
                        WHERE task.tenant_id = wanting.tenant_id AND task.status = 'in_progress'
                    ) AS running
                    LEFT JOIN unnest($4::uuid[], $5::integer[]) AS room (tenant_id,
                        places) ON room.tenant_id = wanting.tenant_id
                    LEFT JOIN viral.organizations AS organization ON organization.id = wanting.tenant_id
                    LEFT JOIN unnest($2::text[], $3::integer[]) AS allowed (plan,
                        most) ON allowed.plan = organization.plan
                    WHERE wanting.tenant_id IS NOT NULL AND organization.deleted_at IS NULL
                ), waiting AS (
                    SELECT tenants.tenant_id, task.id, task.priority, task.taken_over, task.begun,
                           tenants.running + row_number() OVER (
                               PARTITION BY tenants.tenant_id ORDER BY task.priority DESC, task.id) AS place
                    FROM tenants
                    CROSS JOIN LATERAL (
                        -- A dead worker's lease is left where it was.
                        SELECT id, priority, lease_until IS NOT NULL AS taken_over, begun
                        FROM viral.tasks AS task
                        WHERE task.tenant_id = tenants.tenant_id AND task.status = 'pending' AND task.ready
                        ORDER BY priority DESC, id
                        LIMIT GREATEST(tenants.places, 0)
                        FOR UPDATE SKIP LOCKED
                    ) AS task
                ), chosen AS (
                    SELECT tenant_id, id, taken_over, begun
                    FROM waiting
                    ORDER BY place, priority DESC, id
                    LIMIT $1
                ), claimed AS (
                    UPDATE viral.tasks AS task
                    SET status = 'in_progress', attempt = task.attempt + 1, lease_until = now() + $7,
                        -- One that was held back goes on with the attempt it had begun.
                        last_event = task.last_event + (NOT free.begun)::integer, begun = false,
                        started_at = COALESCE(task.started_at, now()),
                        updated_at = now()
                    FROM chosen AS free
                    WHERE task.tenant_id = free.tenant_id AND task.id = free.id
                    RETURNING task.tenant_id, task.id, task.attempt, task.agent_id, task.description, task.input,
                              task.timeout_seconds, task.max_attempts, task.failed_attempts, task.lost_attempts,
                              task.stream_base, task.last_event, free.taken_over, task.held_attempts, task.workflow_id,
                              task.workflow_run, task.trace_parent, free.begun
                ), event AS (
                    INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                    SELECT tenant_id, id, last_event, '{{EventTypes.TaskStarted}}',
                           jsonb_build_object('status', 'in_progress', 'attempt', attempt - held_attempts), now()
                    FROM claimed
                    WHERE NOT begun
                )
                SELECT id, attempt, agent_id, description, input::text, timeout_seconds, max_attempts, failed_attempts,
                       lost_attempts, stream_base, taken_over, held_attempts, workflow_id, workflow_run, tenant_id,
                       trace_parent
                FROM claimed
                """,
                [
                    places.Places, admission.Plans, admission.Most,
                    places.Rooms.Keys.Select(tenant => tenant.Value).ToArray(), places.Rooms.Values.ToArray(),
                    places.Newcomers, options.Lease, from, MaxTenants,
                ])
            .Add(
                """
                SELECT EXISTS (SELECT FROM viral.tasks WHERE status = 'pending' AND ready),
                       (
                           SELECT due_at - now()
                           FROM viral.tasks
                           WHERE status = 'pending' AND NOT ready
                           ORDER BY due_at
                           LIMIT 1)
                """,
                []);

        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        var tasks = new List<ClaimedTask>();
        while (await reader.ReadAsync(ct))
            tasks.Add(new ClaimedTask(new TenantId(reader.GetGuid(14)), Read(reader)));
        GoOnAfter(tasks);
        await reader.NextResultAsync(ct);
        await reader.ReadAsync(ct);
        return new ClaimedTasks(tasks, reader.GetBoolean(0), reader.IsDBNull(1) ? null : reader.GetTimeSpan(1));
    }

    /// <summary>
    /// Postpones all tasks that wait for an agent until it can be called, so that they are not claimed and released
    /// meanwhile.
    /// </summary>
    internal async Task PutOffAsync(
        TenantId tenant, string agentId, string waitingFor, TimeSpan wait, CancellationToken ct)
    {
        await using var db = new Db(dataSource);
        await db.ExecuteAsync(
            tenant,
            """
            UPDATE viral.tasks
            SET ready = false, due_at = now() + $4, waiting_for = COALESCE(waiting_for, $3), updated_at = now()
            WHERE tenant_id = $1 AND agent_id = $2 AND status = 'pending' AND ready
            """,
            [tenant.Value, agentId, waitingFor, wait],
            ct);
    }

    /// <summary>Frees the tasks of dead workers, and ends those that were cancelled meanwhile.</summary>
    /// <returns>The number of freed tasks, and the workflows of those that ended.</returns>
    internal async Task<(int Freed, IReadOnlyList<TaskWorkflow> Ended)> FreeLapsedAsync(CancellationToken ct)
    {
        await using var db = new Db(dataSource);
        var lapsed = await db.QueryAsync(
            DbScope.AllTenants,
            $$"""
            WITH lapsed AS (
                SELECT tenant_id, id, cancel_requested_at IS NOT NULL AS cancelled
                FROM viral.tasks
                WHERE status = 'in_progress' AND lease_until < now()
                  -- A server that has just started was away: the living renew first.
                  AND pg_postmaster_start_time() < now() - $1
                LIMIT 5000
                FOR UPDATE SKIP LOCKED
            ), freed AS (
                UPDATE viral.tasks AS task
                SET status = CASE WHEN lapsed.cancelled THEN 'cancelled' ELSE 'pending' END,
                    completed_at = CASE WHEN lapsed.cancelled THEN now() END,
                    lease_until = CASE WHEN lapsed.cancelled THEN NULL ELSE task.lease_until END,
                    lost_attempts = task.lost_attempts + 1, ready = true, due_at = now(), updated_at = now(),
                    last_event = task.last_event + lapsed.cancelled::integer
                FROM lapsed
                WHERE task.tenant_id = lapsed.tenant_id AND task.id = lapsed.id
                RETURNING task.tenant_id, task.id, task.status, task.last_event, task.workflow_id, task.workflow_run
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.TaskCancelled}}',
                       jsonb_build_object('status', 'cancelled'), now()
                FROM freed
                WHERE status = 'cancelled'
            )
            SELECT status = 'pending', workflow_id, workflow_run
            FROM freed
            """,
            [Outage.Grace],
            row => (Freed: row.GetBoolean(0), Workflow: Workflow(row, 1)),
            ct);
        return (
            lapsed.Count(task => task.Freed),
            [.. lapsed.Where(task => !task.Freed).Select(task => task.Workflow).OfType<TaskWorkflow>()]);
    }

    private static TaskAttempt Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetInt32(1),
        row.GetString(2),
        row.GetString(3),
        row.GetJsonOrNull(4),
        TimeSpan.FromSeconds(row.GetInt32(5)),
        row.GetInt16(6),
        row.GetInt32(7),
        row.GetInt32(8),
        row.GetInt32(9),
        row.GetBoolean(10),
        row.GetInt32(11),
        Workflow(row, 12),
        row.GetStringOrNull(15));

    private static TaskWorkflow? Workflow(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : new TaskWorkflow(row.GetGuid(column), row.GetInt32(column + 1));

    /// <summary>If more tenants wait than one claim considers, the next claim starts after them.</summary>
    private void GoOnAfter(List<ClaimedTask> tasks)
    {
        var served = tasks.Select(task => task.Tenant.ToString()).ToHashSet();
        from = served.Count < MaxTenants / 2 ? Guid.Empty : Guid.Parse(served.Max(StringComparer.Ordinal)!);
    }
}

internal sealed record ClaimedTask(TenantId Tenant, TaskAttempt Attempt);

/// <param name="Ready">Whether more are due.</param>
/// <param name="NextIn">The time until the next task is due.</param>
internal sealed record ClaimedTasks(IReadOnlyList<ClaimedTask> Tasks, bool Ready, TimeSpan? NextIn);
