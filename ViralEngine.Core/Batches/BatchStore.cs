using Npgsql;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Batches in PostgreSQL for users: read, cancel, retry. Each call is one round trip, regardless of the batch's size.
/// </summary>
public sealed class BatchStore(Db db)
{
    /// <summary>For <see cref="Events.EventStore.ReadAsync"/>.</summary>
    public const string EventHead =
        """
        SELECT status IN ('completed', 'failed', 'cancelled'), last_event
        FROM viral.batches
        WHERE tenant_id = $1 AND id = $2 AND expired_at IS NULL
        """;

    /// <summary>In the order in which <see cref="Read"/> reads them.</summary>
    private const string Columns =
        """
        id, name, description, status, agent_id, concurrency_limit, failure_mode, stopping, run, created_by,
        created_at, updated_at, started_at, completed_at, total_items, in_progress, completed, failed, cancelled,
        input_tokens, output_tokens, cost_usd, recent_settled, recent_at, seen_at, waiting_for
        """;

    public Task<Batch?> FindAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.batch_overview
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id],
            Read,
            ct);

    /// <summary>Newest first. <paramref name="before"/> is the id of the last batch of the page before.</summary>
    public Task<List<Batch>> ListAsync(
        TenantId tenant, AgentTaskStatus? status, Guid? before, int limit, CancellationToken ct) =>
        db.QueryListAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.batch_overview
            WHERE tenant_id = $1
              AND ($2::uuid IS NULL OR id < $2)
              AND ($3::text IS NULL OR status = $3)
            ORDER BY id DESC
            LIMIT $4
            """,
            [tenant.Value, before, status?.ToText(), limit],
            Read,
            ct);

    /// <summary>
    /// Requests cancellation: no more items start. Null if the batch does not exist; false if it has already ended.
    /// </summary>
    public Task<bool?> CancelAsync(TenantId tenant, Guid id, string principal, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $$"""
            WITH stopped AS (
                UPDATE viral.batches
                SET stopping = 'cancelled', last_event = last_event + 1, updated_at = now(),
                    check_at = now() + interval '10 seconds'
                WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'in_progress') AND stopping IS NULL
                RETURNING tenant_id, id, status, last_event
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.BatchCancelRequested}}',
                       jsonb_build_object('status', status, 'by', $3::text), now()
                FROM stopped
            )
            SELECT status IN ('pending', 'in_progress')
            FROM viral.batches
            WHERE tenant_id = $1 AND id = $2 AND expired_at IS NULL
            """,
            [tenant.Value, id, principal],
            row => (bool?)row.GetBoolean(0),
            ct);

    /// <summary>
    /// Reopens an ended batch to retry only its failed items. Null if the batch does not exist; 0 if it has not ended
    /// or nothing failed; else the number of the run.
    /// </summary>
    public Task<int?> RetryFailedAsync(TenantId tenant, Guid id, string principal, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $$"""
            WITH counts AS (
                SELECT COALESCE(sum(failed), 0) AS failed
                FROM viral.batch_lanes
                WHERE tenant_id = $1 AND batch_id = $2
            ), opened AS (
                UPDATE viral.batches
                SET status = 'pending', run = run + 1, stopping = NULL, completed_at = NULL,
                    last_event = last_event + 1,
                    updated_at = now(), check_at = now() + interval '10 seconds'
                WHERE tenant_id = $1 AND id = $2 AND status IN ('completed', 'failed', 'cancelled')
                    AND expired_at IS NULL
                  AND (SELECT failed FROM counts) > 0
                RETURNING tenant_id, id, run, last_event
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.BatchRetried}}',
                       jsonb_build_object('status', 'pending', 'items', (SELECT failed FROM counts), 'by', $3::text),
                       now()
                FROM opened
            )
            SELECT COALESCE((SELECT run FROM opened), 0)
            FROM viral.batches
            WHERE tenant_id = $1 AND id = $2 AND expired_at IS NULL
            """,
            [tenant.Value, id, principal],
            row => (int?)row.GetInt32(0),
            ct);

    private static Batch Read(NpgsqlDataReader row)
    {
        var columns = new ColumnCursor(row);
        var (id, name, description) = (columns.Guid(), columns.String(), columns.StringOrNull());
        var status = AgentTaskStatuses.Parse(columns.String())!.Value;
        var (agentId, concurrency, failureMode) = (
            columns.StringOrNull(), columns.Int16(), FailureModes.Parse(columns.String()));
        var (stopping, run, createdBy) = (columns.StringOrNull(), columns.Int32(), columns.String());
        var (createdAt, updatedAt) = (columns.DateTime(), columns.DateTime());
        var (startedAt, completedAt) = (columns.DateTimeOrNull(), columns.DateTimeOrNull());
        var (total, held) = (columns.Int32(), columns.Int32());
        var (completed, failed, cancelled) = (columns.Int32(), columns.Int32(), columns.Int32());
        var usage = new TaskUsage(columns.Int64(), columns.Int64(), columns.Decimal());
        var (recentlySettled, recentlyAt, seenAt) = (
            columns.Int32OrNull(), columns.DateTimeOrNull(), columns.DateTime());
        var waitingFor = columns.StringOrNull();

        // The failed items will run once the batch starts; the lanes' counters do not reflect that yet.
        if (status == AgentTaskStatus.Pending && run > 1 && stopping is null)
            failed = 0;
        var settled = completed + failed + cancelled;
        // Leases and counters are read together, but a held range may have no pending items left.
        var running = Math.Min(held, total - settled);
        var rate = status switch
        {
            AgentTaskStatus.InProgress when recentlyAt is { } since && recentlySettled is { } before =>
                Rate(completed + failed - before, seenAt - since),
            AgentTaskStatus.Completed or AgentTaskStatus.Failed or AgentTaskStatus.Cancelled
                when startedAt is { } begun => Rate(completed + failed, completedAt!.Value - begun),
            _ => null,
        };
        return new Batch(
            id,
            name,
            description,
            status,
            agentId,
            concurrency,
            failureMode,
            stopping == "cancelled",
            run,
            createdBy,
            createdAt,
            updatedAt,
            startedAt,
            completedAt,
            new BatchCounts(total, total - settled - running, running, completed, failed, cancelled),
            (double)settled / total,
            rate,
            status == AgentTaskStatus.InProgress && rate > 0 ? seenAt.AddSeconds((total - settled) / rate.Value) : null,
            usage,
            waitingFor);
    }

    private static double? Rate(int items, TimeSpan time) =>
        time > TimeSpan.FromMilliseconds(1) && items >= 0 ? Math.Round(items / time.TotalSeconds, 2) : null;
}
