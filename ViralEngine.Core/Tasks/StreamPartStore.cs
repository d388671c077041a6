using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Stores what failed attempts and replaced agents streamed, so that later readers get the same events as live ones.
/// </summary>
public sealed class StreamPartStore(NpgsqlDataSource dataSource)
{
    /// <summary>Stores a part, unless the lease was lost. Idempotent.</summary>
    internal async Task<int> AddAsync(TenantId tenant, Guid taskId, int attempt, StreamPart part, CancellationToken ct)
    {
        // A connection of its own, because many attempts of a lane end concurrently.
        await using var db = new Db(dataSource);
        return await db.ExecuteAsync(
            tenant,
            """
            INSERT INTO viral.task_stream_parts (tenant_id, task_id, base, lengths, text)
            SELECT $1, $2, $4, $5, $6
            FROM viral.tasks
            WHERE tenant_id = $1 AND id = $2 AND attempt = $3
              AND (status = 'in_progress' OR (status = 'pending' AND lease_until IS NOT NULL))
            ON CONFLICT DO NOTHING
            """,
            [tenant.Value, taskId, attempt, part.Base, part.Lengths, part.Text],
            ct);
    }

    /// <summary>The first part with an event after a number; null if there is none.</summary>
    internal async Task<StreamPart?> FindAsync(TenantId tenant, Guid taskId, int after, CancellationToken ct)
    {
        await using var db = new Db(dataSource);
        return await db.QueryOneAsync<StreamPart?>(
            tenant,
            """
            SELECT base, lengths, text
            FROM viral.task_stream_parts
            WHERE tenant_id = $1 AND task_id = $2 AND base + cardinality(lengths) > $3
            ORDER BY base
            LIMIT 1
            """,
            [tenant.Value, taskId, after],
            row => new StreamPart(row.GetInt32(0), row.GetFieldValue<int[]>(1), row.GetString(2)),
            ct);
    }
}

/// <summary>Consecutive events of a stream.</summary>
/// <param name="Base">The number of the event before the first.</param>
/// <param name="Lengths">The length of each event's text; 0 for a reset.</param>
internal sealed record StreamPart(int Base, int[] Lengths, string Text)
{
    /// <summary>Null without entries.</summary>
    public static StreamPart? Of(int streamBase, IReadOnlyList<TokenEntry> entries) => entries.Count == 0 ? null : new(
        streamBase,
        [.. entries.Select(entry => entry.Text?.Length ?? 0)],
        string.Concat(entries.Select(entry => entry.Text)));

    /// <summary>The events after a number.</summary>
    public IEnumerable<TokenMessage> After(int after)
    {
        var position = 0;
        for (var i = 0; i < Lengths.Length; i++)
        {
            var number = Base + i + 1;
            if (number > after)
            {
                yield return Lengths[i] == 0
                    ? TokenMessage.Reset(number)
                    : TokenMessage.Token(number, Text.Substring(position, Lengths[i]));
            }

            position += Lengths[i];
        }
    }
}
