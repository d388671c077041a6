using System.Text;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Collects what an attempt streams and passes it on to the readers whenever the agent pauses: an answer that comes at once costs
/// no call to Redis at all, a slow one is passed on token by token.
/// </summary>
internal sealed class TokenWriter(
    TokenLog log, TaskSignals signals, TenantId tenant, Guid taskId, int attempt, int streamBase)
{
    private const int MostWaiting = 256;

    /// <summary>More than this is not kept for late readers while the attempt runs; they get it at its end.</summary>
    private const int MostCharactersLogged = 4_000_000;

    private readonly StringBuilder text = new();
    private readonly List<int> lengths = [];
    private readonly List<TokenEntry> waiting = [];
    private int written;
    private int? segmentBase;
    private int charactersLogged;

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
        log.Append(tenant, taskId, attempt, waiting);
        signals.Publish(tenant, taskId);
        waiting.Clear();
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
