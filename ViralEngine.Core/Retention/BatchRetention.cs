using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Retention;

/// <summary>
/// Deletes ended batches: first hides a batch, so that nobody reads half of it, then deletes its items slice by slice.
/// </summary>
public sealed class BatchRetention(Db db)
{
    private const int MaxItems = 10_000;

    /// <summary>
    /// Deletes part of the batches that ended before <paramref name="before"/>. False if there is nothing left.
    /// </summary>
    public async Task<bool> SweepSomeAsync(DateTime before, CancellationToken ct)
    {
        await db.ExecuteAsync(
            DbScope.AllTenants,
            """
            UPDATE viral.batches
            SET expired_at = now()
            WHERE completed_at < $1 AND status IN ('completed', 'failed', 'cancelled') AND expired_at IS NULL
            """,
            [before],
            ct);
        var batchId = await db.QueryOneAsync(
            DbScope.AllTenants,
            "SELECT id FROM viral.batches WHERE expired_at IS NOT NULL ORDER BY expired_at LIMIT 1",
            [],
            row => (Guid?)row.GetGuid(0),
            ct);
        if (batchId is null)
            return false;
        if (await DeleteItemsAsync(batchId.Value, ct) == 0)
            await DeleteBatchAsync(batchId.Value, ct);
        return true;
    }

    private Task<int> DeleteItemsAsync(Guid batchId, CancellationToken ct) =>
        db.ExecuteAsync(
            DbScope.AllTenants,
            """
            DELETE FROM viral.batch_items
            WHERE batch_id = $1
              AND number IN (SELECT number FROM viral.batch_items WHERE batch_id = $1 ORDER BY number LIMIT $2)
            """,
            [batchId, MaxItems],
            ct);

    private Task<int> DeleteBatchAsync(Guid batchId, CancellationToken ct) =>
        db.ExecuteAsync(
            DbScope.AllTenants,
            """
            WITH gone AS (
                DELETE FROM viral.batches
                WHERE id = $1 AND expired_at IS NOT NULL
                RETURNING tenant_id, id
            ), slices AS (
                DELETE FROM viral.batch_slices
                WHERE batch_id IN (SELECT id FROM gone)
            ), lanes AS (
                DELETE FROM viral.batch_lanes
                WHERE batch_id IN (SELECT id FROM gone)
            )
            DELETE FROM viral.events AS event
            USING gone
            WHERE event.tenant_id = gone.tenant_id AND event.subject_id = gone.id
            """,
            [batchId],
            ct);
}
