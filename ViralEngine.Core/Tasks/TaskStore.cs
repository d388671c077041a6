using ViralEngine.Core.Events;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>Tasks in PostgreSQL for users: submit, read, cancel, retry. Each call is one round trip.</summary>
public sealed class TaskStore(Db db, TaskGroups groups, TimeProvider time)
{
    /// <summary>
    /// The most tasks that one page of a search looks through: where few match, it may be empty though more follow.
    /// </summary>
    public const int MaxLookedThrough = 10_000;

    /// <summary>The most bytes of descriptions, likewise; the task that reaches them is the last.</summary>
    private const int MaxBytesLookedThrough = 32 * 1024 * 1024;

    private const int MaxListBytes = 1024 * 1024;

    /// <summary>
    /// The tasks that a search finds among those it looks through, and the last of those if there may be more. There is
    /// no index of words, which would cost every write.
    /// </summary>
    private const string Searched =
        """
        , found AS (
            SELECT id, matches, ends
            FROM (
                SELECT id, position(lower($12) IN lower(description)) > 0 AS matches,
                       place = $8 OR so_far >= $14 AS ends
                FROM (
                    SELECT id, description, row_number() OVER newest AS place,
                           sum(octet_length(description)) OVER newest AS so_far
                    FROM looked
                    WINDOW newest AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING)
                ) AS counted
                WHERE so_far - octet_length(description) < $14
            ) AS tried
            WHERE matches OR ends
            ORDER BY id DESC
            LIMIT $13
        )
        """;

    /// <summary>Whether the last task that the search looks at matches; NULL for any other.</summary>
    private const string SearchEnd = ", (SELECT matches FROM found WHERE ends AND found.id = tasks.id)";

    /// <summary>For <see cref="Events.EventStore.ReadAsync"/>.</summary>
    public const string EventHead =
        """
        SELECT status IN ('completed', 'failed', 'cancelled'), last_event
        FROM viral.tasks
        WHERE tenant_id = $1 AND id = $2
        """;

    /// <summary>Stores a task with its first event, and counts it.</summary>
    /// <exception cref="PlanLimitException">This month's tasks are used up.</exception>
    public async Task<AgentTask> AddAsync(TenantId tenant, NewTask task, CancellationToken ct)
    {
        var createdAt = db.InTransaction
            ? (await TaskGroupStore.InsertAsync(db, tenant, [task], ct))[0]
            : await groups.AddAsync(tenant, task);
        return createdAt is { } at ? task.Stored(at) : throw PlanLimitException.OfMonth(task.MaxPerMonth, time);
    }

    public async Task<AgentTask?> FindAsync(TenantId tenant, Guid id, CancellationToken ct) => db.InTransaction
        ? (await TaskGroupStore.ReadAsync(db, tenant, [id], ct))[0]
        : await groups.ReadAsync(tenant, id);

    /// <summary>The trace that the task belongs to, if it was recorded.</summary>
    public async Task<string?> TraceIdOfAsync(TenantId tenant, Guid id, CancellationToken ct)
    {
        var parent = await db.QueryOneAsync(
            tenant,
            "SELECT trace_parent FROM viral.tasks WHERE tenant_id = $1 AND id = $2",
            [tenant.Value, id],
            row => row.GetStringOrNull(0),
            ct);
        // 00-<trace>-<span>-<flags>, after W3C Trace Context.
        return parent?.Split('-') is [_, var trace, ..] ? trace : null;
    }

    /// <summary>
    /// Newest first, with the beginning of results. <paramref name="before"/> is the id of the last task of the
    /// previous page. Prompts may be large, so the list ends early when it reaches a megabyte, but has at least one
    /// task. A search looks through <see cref="MaxLookedThrough"/> tasks that match the other filters.
    /// </summary>
    public async Task<TaskList> ListAsync(
        TenantId tenant, TaskFilter filter, Guid? before, int limit, CancellationToken ct)
    {
        var searches = filter.Search is not null;
        var rows = await db.QueryListAsync(
            tenant,
            $"""
            WITH {(searches ? "looked" : "found")} AS (
                (
                    SELECT id{(searches ? ", description" : "")}
                    FROM viral.tasks
                    WHERE tenant_id = $1 AND $5::text IS NULL
                      AND ($2::uuid IS NULL OR id < $2)
                      AND ($3::text IS NULL OR status = $3)
                      AND ($4::text IS NULL OR agent_id = $4)
                      AND ($6::timestamptz IS NULL OR (created_at >= $6 AND id >= $9))
                      AND ($7::timestamptz IS NULL OR (created_at < $7 AND id < $10))
                    ORDER BY id DESC
                    LIMIT $8
                )
                UNION ALL
                (
                    SELECT task.id{(searches ? ", task.description" : "")}
                    FROM viral.task_tags AS tagged
                    JOIN viral.tasks AS task ON task.tenant_id = $1 AND task.id = tagged.task_id
                    WHERE tagged.tenant_id = $1 AND tagged.tag = $5
                      AND ($2::uuid IS NULL OR tagged.task_id < $2)
                      AND ($3::text IS NULL OR task.status = $3)
                      AND ($4::text IS NULL OR task.agent_id = $4)
                      AND ($6::timestamptz IS NULL OR (task.created_at >= $6 AND tagged.task_id >= $9))
                      AND ($7::timestamptz IS NULL OR (task.created_at < $7 AND tagged.task_id < $10))
                    ORDER BY tagged.task_id DESC
                    LIMIT $8
                )
            ){(searches ? Searched : "")}, page AS (
                SELECT id, row_number() OVER newest AS place,
                       sum(octet_length(description) + COALESCE(octet_length(input::text), 0)) OVER newest AS so_far
                FROM viral.tasks
                WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT id FROM found))
                WINDOW newest AS (ORDER BY id DESC)
            )
            SELECT {TaskRow.ListColumns}{(searches ? SearchEnd : "")}, (SELECT count(*) FROM found)
            FROM viral.tasks
            WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT id FROM page WHERE place = 1 OR so_far <= $11))
            ORDER BY id DESC
            """,
            [
                tenant.Value, before, filter.Status?.ToText(), filter.AgentId, filter.Tag, filter.CreatedAfter,
                filter.CreatedBefore, searches ? MaxLookedThrough : limit, Lists.IdFrom(filter.CreatedAfter),
                Lists.IdBefore(filter.CreatedBefore), MaxListBytes,
                .. filter.Search is null ? [] : (object[])[filter.Search, limit, MaxBytesLookedThrough],
            ],
            row => (
                Task: TaskRow.ReadForList(row),
                EndMatches: searches ? row.GetBooleanOrNull(row.FieldCount - 2) : null,
                Found: row.GetInt64(row.FieldCount - 1)),
            ct);
        var tasks = rows.ConvertAll(row => row.Task);
        if (rows.Count == 0 || rows[^1].EndMatches is not { } matches)
            return new TaskList(tasks, rows.Count > 0 && rows[0].Found > rows.Count);

        // The last task that the search looked at, from which the next page continues.
        var lookedTo = tasks[^1].Id;
        if (!matches)
            tasks.RemoveAt(tasks.Count - 1);
        return new TaskList(tasks, Cut: false, lookedTo);
    }

    /// <summary>Part of a result, from a character on; null if there is no such task or result.</summary>
    public Task<string?> ReadResultAsync(TenantId tenant, Guid id, int from, int most, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            "SELECT substr(result, $3, $4) FROM viral.tasks WHERE tenant_id = $1 AND id = $2",
            [tenant.Value, id, from + 1, most],
            row => row.GetStringOrNull(0),
            ct);

    /// <summary>
    /// Cancels a task: immediately if it is not running, else by notifying its worker. Null if the task does not exist;
    /// false if it has already ended.
    /// </summary>
    public Task<bool?> CancelAsync(TenantId tenant, Guid id, string principal, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $$"""
            WITH open AS (
                SELECT tenant_id, id, status
                FROM viral.tasks
                WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'in_progress')
                FOR UPDATE
            ), changed AS (
                UPDATE viral.tasks AS task
                SET status = CASE WHEN open.status = 'pending' THEN 'cancelled' ELSE task.status END,
                    completed_at = CASE WHEN open.status = 'pending' THEN now() END, waiting_for = NULL,
                    cancel_requested_at = COALESCE(task.cancel_requested_at, now()),
                    last_event = task.last_event + CASE WHEN task.cancel_requested_at IS NULL THEN 1 ELSE 0 END,
                    updated_at = now()
                FROM open
                WHERE task.tenant_id = $1 AND task.id = $2
                RETURNING task.tenant_id, task.id, task.status, task.last_event,
                    task.cancel_requested_at = now() AS first
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event,
                       CASE WHEN status = 'cancelled' THEN '{{EventTypes.TaskCancelled}}'
                           ELSE '{{EventTypes.TaskCancelRequested}}' END,
                       jsonb_build_object('status', status, 'by', $3::text), now()
                FROM changed
                WHERE first
            )
            SELECT EXISTS (SELECT FROM changed)
            FROM viral.tasks
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id, principal],
            row => (bool?)row.GetBoolean(0),
            ct);

    /// <summary>The workflow whose step waits for the task; null for none.</summary>
    public Task<TaskWorkflow?> FindWorkflowAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            "SELECT workflow_id, workflow_run FROM viral.tasks "
            + "WHERE tenant_id = $1 AND id = $2 AND workflow_id IS NOT NULL",
            [tenant.Value, id],
            row => new TaskWorkflow(row.GetGuid(0), row.GetInt32(1)),
            ct);

    /// <summary>
    /// Makes a failed or cancelled task pending again, with its full number of attempts. Null if the task does not
    /// exist; 0 if it cannot be retried; else the number of the run.
    /// </summary>
    public Task<int?> RetryAsync(TenantId tenant, Guid id, string principal, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $$"""
            WITH changed AS (
                UPDATE viral.tasks
                SET status = 'pending', run = run + 1, failed_attempts = 0, lease_until = NULL, due_at = now(),
                    ready = true, waiting_for = NULL, cancel_requested_at = NULL, completed_at = NULL, error = NULL,
                    -- The last number of the stream was that of its end.
                    stream_base = stream_base + 1,
                    progress = NULL, last_event = last_event + 1, updated_at = now()
                WHERE tenant_id = $1 AND id = $2 AND status IN ('failed', 'cancelled')
                RETURNING tenant_id, id, run, last_event
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.TaskRetried}}',
                       jsonb_build_object('status', 'pending', 'by', $3::text), now()
                FROM changed
            )
            SELECT COALESCE((SELECT run FROM changed), 0)
            FROM viral.tasks
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id, principal],
            row => (int?)row.GetInt32(0),
            ct);
}

/// <summary>Which tasks to list; null means any.</summary>
/// <param name="Search">A part of the description, in upper or lower case.</param>
public sealed record TaskFilter(
    AgentTaskStatus? Status = null,
    string? AgentId = null,
    string? Tag = null,
    DateTime? CreatedAfter = null,
    DateTime? CreatedBefore = null,
    string? Search = null);

/// <param name="Cut">Whether the list ends early and there are more.</param>
/// <param name="LookedTo">The task that a search ended at, though there may be more; it need not match.</param>
public sealed record TaskList(List<AgentTask> Tasks, bool Cut, Guid? LookedTo = null);
