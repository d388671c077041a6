using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Reads a task's token stream from any number: a running attempt's from Redis, ended ones' from PostgreSQL, split as
/// it was streamed. Events: <c>token</c> {"text"}, <c>reset</c> (another attempt or agent begins: discard the text so
/// far), and at the end <c>done</c> {"status", …}. All readers get the same events at any time.
/// </summary>
public sealed class TaskTokenReader(Db db, TokenLog log, StreamPartStore parts)
{
    /// <summary>The events after number <paramref name="after"/>; null if the task does not exist.</summary>
    public async Task<TokenMessages?> ReadAsync(TenantId tenant, Guid taskId, int after, CancellationToken ct)
    {
        var state = await db.QueryOneAsync(
            tenant,
            """
            SELECT status, attempt, stream_base, result, chunk_lengths, error #>> '{message}'
            FROM viral.tasks
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, taskId],
            row => new
            {
                Status = AgentTaskStatuses.Parse(row.GetString(0))!.Value,
                Attempt = row.GetInt32(1),
                StreamBase = row.GetInt32(2),
                Result = row.GetStringOrNull(3),
                ChunkLengths = row.IsDBNull(4) ? null : row.GetFieldValue<int[]>(4),
                Error = row.GetStringOrNull(5),
            },
            ct);

        if (state is not null && after < state.StreamBase
            && await parts.FindAsync(tenant, taskId, after, ct) is { } part)
            return new TokenMessages(Missed(part, after), Ended: false, More: true);

        return state switch
        {
            null => null,
            { Status: AgentTaskStatus.InProgress } =>
                await ReadRunningAsync(tenant, taskId, state.Attempt, state.StreamBase, after),
            { Status: AgentTaskStatus.Pending } =>
                new TokenMessages(
                    after > state.StreamBase ? [TokenMessage.Reset(state.StreamBase)] : [], Ended: false, More: false),
            { Status: AgentTaskStatus.Completed } => Answer(
                state.Result!, state.ChunkLengths!, state.StreamBase, after),
            _ => End(state.Status, state.Error, state.StreamBase, after),
        };
    }

    private static List<TokenMessage> Missed(StreamPart part, int after)
    {
        var messages = part.After(after).ToList();
        // Events in between were lost with Redis, so the reader must start over.
        if (part.Base > after && messages is [{ Type: not "reset" }, ..])
            messages.Insert(0, TokenMessage.Reset(part.Base));
        return messages;
    }

    private async Task<TokenMessages> ReadRunningAsync(
        TenantId tenant, Guid taskId, int attempt, int streamBase, int after)
    {
        // A reader with numbers of a dead attempt starts this one from the beginning.
        var from = Math.Max(after - streamBase, 0);
        var messages = new List<TokenMessage>();
        if (from > 0 && await log.LastAsync(tenant, taskId, attempt) is { } last && from > last)
        {
            // So does a reader with numbers that were never assigned.
            messages.Add(TokenMessage.Reset(streamBase));
            from = 0;
        }

        // The writer assigns numbers, and gaps are not skipped: missing entries are written again, or arrive with the
        // answer.
        var entries = await log.ReadAsync(tenant, taskId, attempt, from);
        for (var i = 0; i < entries.Count; i++)
        {
            var number = streamBase + from + i + 1;
            messages.Add(entries[i].Text is { } text ? TokenMessage.Token(number, text) : TokenMessage.Reset(number));
        }

        return new TokenMessages(messages, Ended: false, More: entries.Count >= 1000);
    }

    private static TokenMessages Answer(string result, int[] lengths, int streamBase, int after)
    {
        var last = streamBase + lengths.Length;
        var messages = new List<TokenMessage>();
        // A reader with numbers before or beyond this answer saw another one.
        var afresh = after < streamBase || after > last + 1;
        if (afresh && (streamBase > 0 || after > 0))
            messages.Add(TokenMessage.Reset(streamBase));
        var skip = afresh ? 0 : after - streamBase;
        var position = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            if (i >= skip)
                messages.Add(TokenMessage.Token(streamBase + i + 1, result.Substring(position, lengths[i])));
            position += lengths[i];
        }

        if (after != last + 1)
            messages.Add(TokenMessage.Done(last + 1, AgentTaskStatus.Completed, null));
        return new TokenMessages(messages, Ended: true, More: false);
    }

    private static TokenMessages End(AgentTaskStatus status, string? error, int streamBase, int after) =>
        new(
            after == streamBase + 1 ? []
                : after > streamBase + 1
                    ? [TokenMessage.Reset(streamBase), TokenMessage.Done(streamBase + 1, status, error)]
                    : [TokenMessage.Done(streamBase + 1, status, error)],
            Ended: true, More: false);
}

public sealed record TokenMessages(IReadOnlyList<TokenMessage> Messages, bool Ended, bool More);

/// <summary>One event of a token stream.</summary>
public sealed record TokenMessage(int Number, string Type, IReadOnlyDictionary<string, string> Data)
{
    private static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    public static TokenMessage Token(int number, string text) =>
        new(number, "token", new Dictionary<string, string> { ["text"] = text });

    public static TokenMessage Reset(int number) => new(number, "reset", None);

    public static TokenMessage Done(int number, AgentTaskStatus status, string? error)
    {
        var data = new Dictionary<string, string> { ["status"] = status.ToText() };
        if (error is not null)
            data["error"] = error;
        return new(number, "done", data);
    }
}
