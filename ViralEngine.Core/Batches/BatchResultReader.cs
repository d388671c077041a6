using System.Text.Json;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Reads the results of a batch's items in the order of submission, in pages bounded by size. Each page is read to its
/// end before it is returned, so that a slow reader holds no connection.
/// </summary>
public sealed class BatchResultReader(Db db)
{
    private const int PageSize = 1000;

    /// <summary>
    /// The most items that one page reads: where few have the status, it may be empty though more follow.
    /// </summary>
    public const int MaxLookedThrough = 50_000;

    /// <summary>A larger result gets a page of its own.</summary>
    public const int PageBytes = 256 * 1024;

    /// <param name="status">Only items in this state; null for all.</param>
    /// <param name="after">The number of the last item of the page before; 0 for the first page.</param>
    public async Task<BatchResultPage> ReadAsync(
        TenantId tenant, Guid batchId, AgentTaskStatus? status, int after, CancellationToken ct)
    {
        var results = new List<BatchResult>();
        var (last, found, total) = (after, 0L, 0);
        await using var batch = db.BatchByIndex(tenant).Add(
            """
            SELECT number, found, id, status, agent_id, result, answered_by, finish_reason, error, attempt,
                   input_tokens, output_tokens, cost_usd, metadata, completed_at
            FROM (
                SELECT *, sum(bytes) OVER (ORDER BY number) AS so_far, count(*) OVER () AS found
                FROM (
                    SELECT *
                    FROM (
                        SELECT item.number, COALESCE(item.item_id, item.number::text) AS id,
                               -- What a lane holds first is what it runs.
                               CASE
                                   WHEN item.status = 'pending' AND EXISTS (
                                       SELECT FROM viral.batch_slices AS slice
                                       WHERE slice.tenant_id = $1 AND slice.batch_id = $2 AND slice.first = item.number
                                         AND slice.lease_until > now())
                                   THEN 'in_progress'
                                   ELSE item.status
                               END AS status,
                               COALESCE(item.agent_id, batch.agent_id) AS agent_id, item.result, item.answered_by,
                               item.error::text AS error, item.attempt, item.input_tokens, item.output_tokens,
                               trim_scale(item.cost_usd) AS cost_usd,
                               item.metadata::text AS metadata, item.completed_at, item.finish_reason,
                               COALESCE(octet_length(item.result), 0) AS bytes
                        FROM viral.batch_items AS item
                        JOIN viral.batches AS batch ON batch.tenant_id = $1 AND batch.id = $2
                        WHERE item.tenant_id = $1 AND item.batch_id = $2 AND item.number > $3 AND item.number <= $7
                    ) AS item
                    WHERE $4::text IS NULL OR status = $4
                    ORDER BY number
                    LIMIT $5
                ) AS item
            ) AS item
            WHERE so_far - bytes = 0 OR so_far <= $6
            ORDER BY number
            """,
            [tenant.Value, batchId, after, status?.ToText(), PageSize, PageBytes, after + MaxLookedThrough])
            .Add("SELECT total_items FROM viral.batches WHERE tenant_id = $1 AND id = $2", [tenant.Value, batchId]);
        await using var reader = await batch.ReadByIndexAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var columns = new ColumnCursor(reader);
            (last, found) = (columns.Int32(), columns.Int64());
            results.Add(Read(ref columns));
        }

        await reader.NextResultAsync(ct);
        if (await reader.ReadAsync(ct))
            total = reader.GetInt32(0);
        if (results.Count == found && found < PageSize)
            last = after + MaxLookedThrough;
        return new BatchResultPage(results, last, last < total);
    }

    private static BatchResult Read(ref ColumnCursor columns) => new(
        columns.String(),
        AgentTaskStatuses.Parse(columns.String())!.Value,
        columns.String(),
        columns.StringOrNull(),
        columns.StringOrNull(),
        columns.StringOrNull(),
        columns.JsonOrNull(TaskJson.Default.TaskError),
        columns.Int32(),
        TaskRow.ReadUsage(ref columns),
        columns.JsonOrNull(),
        columns.DateTimeOrNull());
}

/// <param name="Last">The number of the last item that was read.</param>
/// <param name="More">Whether there may be more.</param>
public sealed record BatchResultPage(IReadOnlyList<BatchResult> Results, int Last, bool More);

/// <summary>The result of an item.</summary>
/// <param name="Id">The given id, or else the item's position or line.</param>
/// <param name="FinishReason">Why the answer ended, if the provider says so: stop, length, refusal, …</param>
/// <param name="Error">Why it failed or is being retried.</param>
/// <param name="Attempt">The number of attempts.</param>
/// <param name="Usage">The sum of all attempts.</param>
public sealed record BatchResult(
    string Id,
    AgentTaskStatus Status,
    string AgentId,
    string? Result,
    string? AnsweredBy,
    string? FinishReason,
    TaskError? Error,
    int Attempt,
    TaskUsage? Usage,
    JsonElement? Metadata,
    DateTime? CompletedAt);
