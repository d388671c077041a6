using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// What was streamed of attempts and agents that did not come to the answer, kept so that who reads a stream later gets the very
/// events that were sent live.
/// </summary>
public sealed class StreamPartStore(NpgsqlDataSource dataSource)
{
    /// <summary>Keeps a part, where nobody else has taken the task up. Harmless when repeated.</summary>
    internal async Task<int> AddAsync(TenantId tenant, Guid taskId, int attempt, StreamPart part, CancellationToken ct)
    {
        // Of its own: many attempts of a lane end at a time.
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

    /// <summary>The first part that has an event after a number; null: none has.</summary>
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
/// <param name="Lengths">Of each event's text; 0 is a reset, for no piece of text is empty.</param>
internal sealed record StreamPart(int Base, int[] Lengths, string Text)
{
    /// <summary>Null: there are none.</summary>
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
