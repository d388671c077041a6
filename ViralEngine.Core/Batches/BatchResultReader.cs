using System.Runtime.CompilerServices;
using System.Text.Json;
using Npgsql;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Reads what came of a batch's items, in the order of submission: page by page, so that no transaction lasts as long as a slow
/// reader, and row by row, so that a million need no more memory than one.
/// </summary>
public sealed class BatchResultReader(Db db)
{
    private const int PageSize = 1000;

    /// <param name="status">Only items in this state; null: all.</param>
    public async IAsyncEnumerable<BatchResult> ReadAsync(
        TenantId tenant, Guid batchId, AgentTaskStatus? status, [EnumeratorCancellation] CancellationToken ct)
    {
        var after = 0;
        while (true)
        {
            var count = 0;
            await using var batch = db.BatchByIndex(tenant).Add(
                """
                SELECT number, id, status, agent_id, result, answered_by, error, attempt, input_tokens, output_tokens, cost_usd,
                       metadata, completed_at
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
                           item.metadata::text AS metadata, item.completed_at
                    FROM viral.batch_items AS item
                    JOIN viral.batches AS batch ON batch.tenant_id = $1 AND batch.id = $2
                    WHERE item.tenant_id = $1 AND item.batch_id = $2 AND item.number > $3
                ) AS item
                WHERE $4::text IS NULL OR status = $4
                ORDER BY number
                LIMIT $5
                """,
                [tenant.Value, batchId, after, status?.ToText(), PageSize]);
            await using var reader = await batch.ReadByIndexAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                count++;
                after = reader.GetInt32(0);
                yield return Read(reader);
            }

            if (count < PageSize)
                yield break;
        }
    }

    private static BatchResult Read(NpgsqlDataReader row) => new(
        row.GetString(1),
        AgentTaskStatuses.Parse(row.GetString(2))!.Value,
        row.GetString(3),
        row.IsDBNull(4) ? null : row.GetString(4),
        row.IsDBNull(5) ? null : row.GetString(5),
        row.IsDBNull(6) ? null : JsonSerializer.Deserialize(row.GetString(6), TaskJson.Default.TaskError),
        row.GetInt32(7),
        row.IsDBNull(8) ? null : new TaskUsage(row.GetInt64(8), row.GetInt64(9), row.IsDBNull(10) ? null : row.GetDecimal(10)),
        TaskRow.Json(row, 11),
        row.IsDBNull(12) ? null : row.GetDateTime(12));
}

/// <summary>What came of an item.</summary>
/// <param name="Id">The one it was given, else its place or line.</param>
/// <param name="Error">Why it failed, or why it is being tried again.</param>
/// <param name="Attempt">How often it was run.</param>
public sealed record BatchResult(
    string Id,
    AgentTaskStatus Status,
    string AgentId,
    string? Result,
    string? AnsweredBy,
    TaskError? Error,
    int Attempt,
    TaskUsage? Usage,
    JsonElement? Metadata,
    DateTime? CompletedAt);
