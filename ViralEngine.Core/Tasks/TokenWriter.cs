using ViralEngine.Core.Agents;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Collects an attempt's stream and passes it on to readers whenever the agent pauses: an immediate answer costs no
/// call to Redis, a slow one is passed on token by token. Entries that Redis loses are written again.
/// </summary>
internal sealed class TokenWriter(
    TokenLog log,
    TaskLeaseStore store,
    Signals signals,
    TimeProvider time,
    TenantId tenant,
    TaskAttempt attempt,
    int streamBase,
    AnswerMemory memory) : IAnswerSink, IDisposable
{
    /// <summary>The maximum number of entries of an attempt: each has at least one character, or is a reset.</summary>
    public const int MaxEntries = MaxCharactersLogged + 1000;

    private const int MaxWaiting = 256;

    /// <summary>Characters per piece when memory is short.</summary>
    private const int LongPiece = 1024;

    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Characters kept for late readers while the attempt runs; they get the rest at its end.</summary>
    private const int MaxCharactersLogged = 4_000_000;

    private static readonly TimeSpan RepairInterval = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();

    // The whole stream of the attempt; the answer follows the last reset.
    private readonly AnswerText text = new(memory);
    private readonly List<int> lengths = [];
    private readonly List<TokenEntry> waiting = [];
    private int written;
    private int answerStart;
    private int answerPieces;
    private int passedOn;
    private bool repairing;
    private bool finished;
    private int charactersLogged;
    private long lastReport;

    /// <summary>The number of the last event so far.</summary>
    public int LastNumber => streamBase + written;

    public int Length => text.Length - answerStart;

    /// <summary>The number of characters, including those before the last reset.</summary>
    public int Collected => text.Length;

    /// <summary>The usage of all calls of the attempt.</summary>
    public AgentUsage? Used { get; private set; }

    public void Add(string chunk)
    {
        if (chunk.Length == 0)
            return;
        lock (gate)
        {
            text.Append(chunk);
            if (JoinsLast(chunk))
                return;
            lengths.Add(chunk.Length);
            Write(new TokenEntry(chunk));
        }
    }

    public void Use(AgentUsage usage) => Used = AgentUsage.Sum(Used, usage);

    /// <summary>Restarts the answer: another agent, or another attempt than the one readers saw.</summary>
    public void Reset()
    {
        lock (gate)
        {
            // Readers have seen nothing, or start here anyway.
            if (LastNumber == 0 || lengths is [.., 0])
                return;
            lengths.Add(0);
            Write(TokenEntry.Reset);
            (answerStart, answerPieces) = (text.Length, lengths.Count);
        }
    }

    public TaskAnswer Finish(AgentOutcome.Answered answered) => new(
        text.ToString(answerStart, Length), [.. lengths.Skip(answerPieces)], streamBase + answerPieces, answered.Agent,
        answered.FinishReason, answered.TimeToFirstToken, Used);

    /// <summary>What was streamed before the answer; null if nothing.</summary>
    public StreamPart? BeforeAnswer() => answerPieces == 0
        ? null
        : new StreamPart(streamBase, [.. lengths.Take(answerPieces)], text.ToString(0, answerStart));

    /// <summary>Everything that was streamed, if there is no answer; null if nothing.</summary>
    public StreamPart? WithoutAnswer() =>
        lengths.Count == 0 ? null : new StreamPart(streamBase, [.. lengths], text.ToString());

    /// <summary>Passes on pending entries.</summary>
    public void Flush()
    {
        lock (gate)
        {
            if (waiting.Count == 0 || IsGathering)
                return;
            TokenEntry[] entries = [.. waiting];
            waiting.Clear();
            _ = PassOnAsync(passedOn + 1, entries);
            passedOn += entries.Length;
        }

        signals.Publish(tenant, attempt.TaskId);
    }

    /// <summary>
    /// Passes on what came last, if readers have seen the first of it. Those who have seen nothing get the whole answer
    /// when it is stored.
    /// </summary>
    public void FlushRest()
    {
        lock (gate)
        {
            if (passedOn == 0)
                return;
        }

        Flush();
    }

    /// <summary>The attempt is over: readers get the rest from its outcome.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            finished = true;
            text.Dispose();
        }
    }

    /// <summary>Each report is an event in the task's history, so at most two per second are stored.</summary>
    public async Task ReportAsync(double fraction, string? message, CancellationToken ct)
    {
        if (lastReport != 0 && fraction < 1 && time.GetElapsedTime(lastReport) < ReportInterval)
            return;
        lastReport = time.GetTimestamp();
        if (await store.ReportProgressAsync(tenant, attempt.TaskId, attempt.Attempt, fraction, message, ct))
            signals.Publish(tenant, attempt.TaskId);
    }

    private async Task PassOnAsync(int first, TokenEntry[] entries)
    {
        if (await log.WriteAsync(tenant, attempt.TaskId, attempt.Attempt, first, entries) || !log.IsConfigured)
            return;
        lock (gate)
        {
            if (repairing)
                return;
            repairing = true;
        }

        await RepairAsync();
    }

    /// <summary>Rewrites all entries until they are stored.</summary>
    private async Task RepairAsync()
    {
        while (true)
        {
            TokenEntry[] entries;
            lock (gate)
            {
                if (finished)
                    return;
                entries = Everything();
            }

            if (await log.WriteAsync(tenant, attempt.TaskId, attempt.Attempt, 1, entries))
            {
                lock (gate)
                {
                    // Entries passed on meanwhile may be lost too.
                    if (passedOn == entries.Length || finished)
                    {
                        repairing = false;
                        break;
                    }
                }

                continue;
            }

            await Task.Delay(RepairInterval, time);
        }

        signals.Publish(tenant, attempt.TaskId);
    }

    /// <summary>All entries passed on, in order.</summary>
    private TokenEntry[] Everything()
    {
        var entries = new TokenEntry[passedOn];
        var position = 0;
        for (var i = 0; i < passedOn; i++)
        {
            entries[i] = lengths[i] == 0 ? TokenEntry.Reset : new TokenEntry(text.ToString(position, lengths[i]));
            position += lengths[i];
        }

        return entries;
    }

    /// <summary>
    /// When memory is short, pieces are long, because a number for each token would take half the memory of an answer.
    /// </summary>
    private bool IsGathering => text.IsInFile && waiting is [{ Text.Length: < LongPiece }];

    /// <summary>Appends to the last piece, if no reader has seen it and memory is short.</summary>
    private bool JoinsLast(string chunk)
    {
        if (!text.IsInFile || written == passedOn || lengths is not [.., > 0 and < LongPiece])
            return false;
        lengths[^1] += chunk.Length;
        // Nothing beyond the limit for live readers is kept.
        if (written == passedOn + waiting.Count)
        {
            waiting[^1] = new TokenEntry(waiting[^1].Text + chunk);
            charactersLogged += chunk.Length;
        }

        return true;
    }

    private void Write(TokenEntry entry)
    {
        written++;
        charactersLogged += entry.Text?.Length ?? 0;
        if (charactersLogged > MaxCharactersLogged)
            return;
        waiting.Add(entry);
        if (waiting.Count >= MaxWaiting)
            Flush();
    }
}
