using System.Text;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Collects what an attempt streams and passes it on to the readers whenever the agent pauses: an answer that comes at once costs
/// no call to Redis at all, a slow one is passed on token by token.
/// </summary>
internal sealed class TokenWriter(
    TokenLog log,
    TaskLeaseStore store,
    Signals signals,
    TimeProvider time,
    TenantId tenant,
    TaskAttempt attempt,
    int streamBase) : IAnswerSink
{
    private const int MostWaiting = 256;
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>More than this is not kept for late readers while the attempt runs; they get it at its end.</summary>
    private const int MostCharactersLogged = 4_000_000;

    private readonly StringBuilder text = new();
    private readonly List<int> lengths = [];
    private readonly List<TokenEntry> waiting = [];
    private int written;
    private int? segmentBase;
    private int charactersLogged;
    private long lastReport;

    /// <summary>The number of the last event so far.</summary>
    public int LastNumber => streamBase + written;

    public int Length => text.Length;

    public void Add(string chunk)
    {
        if (chunk.Length == 0)
            return;
        text.Append(chunk);
        lengths.Add(chunk.Length);
        Write(new TokenEntry(chunk));
    }

    /// <summary>The answer starts anew: another agent, or another attempt than the one readers saw.</summary>
    public void Reset()
    {
        text.Clear();
        lengths.Clear();
        if (LastNumber == 0)
            return; // nobody saw anything yet
        Write(TokenEntry.Reset);
        segmentBase = LastNumber;
    }

    public TaskAnswer Finish(string answeredBy, TaskUsage? usage) =>
        new(text.ToString(), [.. lengths], segmentBase ?? streamBase, answeredBy, usage);

    /// <summary>Passes on what waits.</summary>
    public void Flush()
    {
        if (waiting.Count == 0)
            return;
        log.Append(tenant, attempt.TaskId, attempt.Attempt, waiting);
        signals.Publish(tenant, attempt.TaskId);
        waiting.Clear();
    }

    /// <summary>Each report is an event in the task's history: more than two a second would only fill it.</summary>
    public async Task ReportAsync(double fraction, string? message, CancellationToken ct)
    {
        if (lastReport != 0 && fraction < 1 && time.GetElapsedTime(lastReport) < ReportInterval)
            return;
        lastReport = time.GetTimestamp();
        if (await store.ReportProgressAsync(tenant, attempt.TaskId, attempt.Attempt, fraction, message, ct))
            signals.Publish(tenant, attempt.TaskId);
    }

    private void Write(TokenEntry entry)
    {
        written++;
        charactersLogged += entry.Text?.Length ?? 0;
        if (charactersLogged > MostCharactersLogged)
            return;
        waiting.Add(entry);
        if (waiting.Count >= MostWaiting)
            Flush();
    }
}
