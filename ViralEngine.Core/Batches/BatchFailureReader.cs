using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>Summarizes why items of a batch failed: a count and an example for each kind of error.</summary>
public sealed class BatchFailureReader(Db db)
{
    /// <summary>Only the first failed items are read, so that a page does not wait for a million.</summary>
    public const int MaxItems = 10_000;

    public Task<List<BatchFailure>> ReadAsync(TenantId tenant, Guid batchId, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            """
            SELECT error ->> 'class', count(*)::integer, (array_agg(error ->> 'message' ORDER BY number))[1],
                   (array_agg(id ORDER BY number))[1:3]
            FROM (
                SELECT number, COALESCE(item_id, number::text) AS id, error
                FROM viral.batch_items
                WHERE tenant_id = $1 AND batch_id = $2 AND status = 'failed'
                ORDER BY number
                LIMIT $3
            ) AS item
            GROUP BY error ->> 'class'
            ORDER BY count(*) DESC, error ->> 'class'
            """,
            [tenant.Value, batchId, MaxItems],
            row => new BatchFailure(
                row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetFieldValue<string[]>(3)),
            ct);
}

/// <summary>The items of a batch that failed for one kind of error.</summary>
/// <param name="Class">The kind, as in a task's error.</param>
/// <param name="Example">The message of the first one.</param>
/// <param name="Items">The ids of the first three.</param>
public sealed record BatchFailure(string Class, int Count, string Example, IReadOnlyList<string> Items);
