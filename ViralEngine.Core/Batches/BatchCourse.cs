using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>Starts and ends batches. Idempotent: each step reads the row and does what is left.</summary>
public sealed class BatchCourse(Db db, Signals signals)
{
    /// <summary>How many item numbers one statement scans when failed items are reopened.</summary>
    private const int Window = 20_000;

    /// <summary>Item numbers per range when failed items are reopened.</summary>
    private const int RetrySlice = 50;

    /// <summary>Ranges that one statement cancels.</summary>
    private const int SlicesAtOnce = 40;

    /// <summary>Starts a batch that waits to be started.</summary>
    /// <returns>How many of its items may run concurrently; 0 if the batch has ended or must end.</returns>
    public async Task<int> BeginAsync(TenantId tenant, Guid batchId, CancellationToken ct)
    {
        var state = await db.QueryOneAsync(
            tenant,
            """
            SELECT status, run, total_items
            FROM viral.batches
            WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'in_progress') AND stopping IS NULL
            """,
            [tenant.Value, batchId],
            row => new { Status = row.GetString(0), Run = row.GetInt32(1), Items = row.GetInt32(2) },
            ct);
        if (state is null)
            return 0;
        if (state is { Status: "pending", Run: > 1 })
            await OpenFailedAsync(tenant, batchId, ct);

        var places = await db.QueryOneAsync(
            tenant,
            $$"""
            WITH begun AS (
                UPDATE viral.batches
                SET status = 'in_progress', started_at = COALESCE(started_at, now()), updated_at = now(),
                    progress_at = now(), progress_settled = 0, check_at = now() + interval '30 seconds',
                    last_event = last_event + 1
                WHERE tenant_id = $1 AND id = $2 AND status = 'pending' AND stopping IS NULL
                RETURNING tenant_id, id, last_event, total_items
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.BatchStarted}}',
                       jsonb_build_object(
                           'status', 'in_progress', 'total', total_items,
                           'settled',
                           (SELECT COALESCE(sum(completed + failed), 0) FROM viral.batch_lanes WHERE tenant_id = $1
                               AND batch_id = $2)),
                       now()
                FROM begun
            )
            SELECT LEAST(
                concurrency_limit,
                (SELECT COALESCE(sum(last - first + 1), 0) FROM viral.batch_slices WHERE tenant_id = $1
                    AND batch_id = $2))::integer
            FROM viral.batches
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, batchId],
            row => row.GetInt32(0),
            ct);
        signals.Publish(tenant, batchId);
        return places;
    }

    /// <summary>
    /// Ends the batch if all its items are settled, and cancels items that will no longer run. Announced once.
    /// </summary>
    public async Task<BatchPause> EndAsync(TenantId tenant, Guid batchId, CancellationToken ct)
    {
        while (await CancelSomeAsync(tenant, batchId, ct) > 0)
            ct.ThrowIfCancellationRequested();
        await TryEndAsync(tenant, batchId, ct);

        // Ranges still held are being released, or expire with a dead worker's lease.
        return await db.QueryOneAsync(
            tenant,
            """
            SELECT now() + interval '250 milliseconds', stopping IS NULL
            FROM viral.batches
            WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'in_progress')
            """,
            [tenant.Value, batchId],
            row => new BatchPause(row.GetDateTime(0), row.GetBoolean(1)),
            ct) ?? new BatchPause(null, false);
    }

    /// <summary>Ends the batch if no item is left to run.</summary>
    internal async Task TryEndAsync(TenantId tenant, Guid batchId, CancellationToken ct)
    {
        var ended = await db.ExecuteAsync(
            tenant,
            $$"""
            WITH counts AS (
                SELECT COALESCE(sum(completed), 0)::integer AS completed, COALESCE(sum(failed), 0)::integer AS failed,
                       COALESCE(sum(cancelled), 0)::integer AS cancelled
                FROM viral.batch_lanes
                WHERE tenant_id = $1 AND batch_id = $2
            ), ended AS (
                UPDATE viral.batches AS batch
                -- A cancellation that came when everything was done already changes nothing.
                SET status = CASE
                        WHEN batch.stopping IS NULL OR (batch.stopping = 'cancelled' AND counts.cancelled = 0)
                            THEN 'completed'
                        ELSE batch.stopping
                    END,
                    completed_at = now(), updated_at = now(), waiting_for = NULL, last_event = batch.last_event + 1
                FROM counts
                WHERE batch.tenant_id = $1 AND batch.id = $2
                  AND (batch.status = 'in_progress' OR (batch.status = 'pending' AND batch.stopping IS NOT NULL))
                  AND NOT EXISTS (SELECT FROM viral.batch_slices WHERE tenant_id = $1 AND batch_id = $2)
                RETURNING batch.tenant_id, batch.id, batch.last_event, batch.status, batch.total_items,
                          counts.completed, counts.failed, counts.cancelled
            )
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            SELECT tenant_id, id, last_event,
                   CASE status
                       WHEN 'completed' THEN '{{EventTypes.BatchCompleted}}'
                       WHEN 'failed' THEN '{{EventTypes.BatchFailed}}'
                       WHEN 'cancelled' THEN '{{EventTypes.BatchCancelled}}'
                   END,
                   jsonb_build_object(
                       'status', status, 'total', total_items, 'settled', completed + failed + cancelled,
                       'completed', completed, 'failed', failed, 'cancelled', cancelled),
                   now()
            FROM ended
            """,
            [tenant.Value, batchId],
            ct);
        if (ended > 0)
            signals.Publish(tenant, batchId);
    }

    /// <summary>Cancels the items of some free ranges of a batch that must end.</summary>
    /// <returns>The number of ranges.</returns>
    private Task<int> CancelSomeAsync(TenantId tenant, Guid batchId, CancellationToken ct) =>
        db.QueryByIndexAsync<int>(
            tenant,
            """
            WITH free AS (
                SELECT id, first, last
                FROM viral.batch_slices
                WHERE tenant_id = $1 AND batch_id = $2 AND (lease_until IS NULL OR lease_until < now())
                  AND EXISTS (SELECT FROM viral.batches WHERE tenant_id = $1 AND id = $2 AND stopping IS NOT NULL)
                ORDER BY first
                LIMIT $3
                FOR UPDATE SKIP LOCKED
            ), cancelled AS (
                UPDATE viral.batch_items AS item
                SET status = 'cancelled', completed_at = now()
                FROM free
                WHERE item.tenant_id = $1 AND item.batch_id = $2 AND item.number BETWEEN free.first AND free.last
                  AND item.status = 'pending'
                RETURNING item.number
            ), gone AS (
                DELETE FROM viral.batch_slices
                WHERE tenant_id = $1 AND id IN (SELECT id FROM free)
            ), counted AS (
                INSERT INTO viral.batch_lanes AS lane (
                    tenant_id, batch_id, lane, completed, failed, cancelled, input_tokens, output_tokens, cost_usd)
                SELECT $1, $2, 0, 0, 0, count(*), 0, 0, 0
                FROM cancelled
                HAVING count(*) > 0
                ON CONFLICT (batch_id, lane) DO UPDATE
                SET cancelled = lane.cancelled + EXCLUDED.cancelled
            )
            SELECT count(*)::integer
            FROM free
            """,
            [tenant.Value, batchId, SlicesAtOnce],
            ct);

    /// <summary>
    /// Makes failed items pending again, window by window. Resumable after a crash, because reopened items no longer
    /// count as failed.
    /// </summary>
    private async Task OpenFailedAsync(TenantId tenant, Guid batchId, CancellationToken ct)
    {
        int? next = 1;
        while (next is { } first)
        {
            next = await db.QueryByIndexAsync<int?>(
                tenant,
                """
                WITH opened AS (
                    UPDATE viral.batch_items
                    SET status = 'pending', failed_attempts = 0, error = NULL, completed_at = NULL
                    WHERE tenant_id = $1 AND batch_id = $2 AND number BETWEEN $3 AND $4 AND status = 'failed'
                    RETURNING number
                ), slices AS (
                    INSERT INTO viral.batch_slices (tenant_id, batch_id, first, last, due_at)
                    SELECT $1, $2, min(number), max(number), now()
                    FROM opened
                    -- Ranges of a few failed items each, however they lie apart.
                    GROUP BY (number - 1) / $5
                ), counted AS (
                    INSERT INTO viral.batch_lanes AS lane (
                        tenant_id, batch_id, lane, completed, failed, cancelled, input_tokens, output_tokens, cost_usd)
                    SELECT $1, $2, 0, 0, -count(*), 0, 0, 0, 0
                    FROM opened
                    HAVING count(*) > 0
                    ON CONFLICT (batch_id, lane) DO UPDATE
                    SET failed = lane.failed + EXCLUDED.failed
                )
                SELECT min(number)
                FROM viral.batch_items
                WHERE tenant_id = $1 AND batch_id = $2 AND number > $4
                """,
                [tenant.Value, batchId, first, first + Window - 1, RetrySlice],
                ct);
        }
    }

}

/// <param name="Until">When to look again; null if the batch has ended.</param>
/// <param name="HasWork">Whether there is work for lanes.</param>
public sealed record BatchPause(DateTime? Until, bool HasWork);
