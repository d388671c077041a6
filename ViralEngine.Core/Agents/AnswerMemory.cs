using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Agents;

/// <summary>
/// Counts the memory of answers in flight. Beyond the budget, long answers continue in temporary files and no new calls
/// start. Long texts that must be in memory as a whole (JSON to parse, an answer to store) take turns.
/// </summary>
public sealed class AnswerMemory(IOptions<AgentsOptions> options) : IDisposable
{
    /// <summary>Characters, or bytes of a body. Shorter ones are not limited.</summary>
    internal const int Long = 64 * 1024;

    private const int WholeAtATime = 2;

    private readonly SemaphoreSlim whole = new(WholeAtATime);
    private long held;
    private long inFiles;

    /// <summary>Over budget: new calls wait.</summary>
    public bool IsFull => IsOverBudget || Volatile.Read(ref inFiles) >= options.Value.MaxAnswerFileBytes;

    /// <summary>Over the memory budget: long answers go to files.</summary>
    internal bool IsOverBudget => Volatile.Read(ref held) >= options.Value.MaxAnswerMemoryBytes;

    internal void Hold(long bytes) => Interlocked.Add(ref held, bytes);

    internal void HoldInFile(long bytes) => Interlocked.Add(ref inFiles, bytes);

    /// <summary>Waits until a text of this length may be held in memory as a whole. Dispose to release.</summary>
    internal async ValueTask<IDisposable?> HoldWholeAsync(long length, CancellationToken ct)
    {
        if (length < Long)
            return null;
        await whole.WaitAsync(ct);
        return new Turn(whole);
    }

    public void Dispose() => whole.Dispose();

    private sealed class Turn(SemaphoreSlim whole) : IDisposable
    {
        public void Dispose() => whole.Release();
    }
}
