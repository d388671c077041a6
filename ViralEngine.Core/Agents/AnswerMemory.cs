using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Agents;

/// <summary>
/// What answers take of this process's memory while they arrive. Beyond the budget, long ones go on in temporary files and no new call
/// is made. What is long and has to be whole in memory (JSON to parse, an answer to store) takes turns.
/// </summary>
public sealed class AnswerMemory(IOptions<AgentsOptions> options) : IDisposable
{
    /// <summary>Characters, or bytes of a body: shorter ones are never in the way.</summary>
    internal const int Long = 64 * 1024;

    private const int WholeAtATime = 2;

    private readonly SemaphoreSlim whole = new(WholeAtATime);
    private long held;
    private long inFiles;

    /// <summary>Beyond the budget: new calls wait.</summary>
    public bool IsFull => IsOverBudget || Volatile.Read(ref inFiles) >= options.Value.MaxAnswerFileBytes;

    /// <summary>Beyond the budget of memory: long answers go to files.</summary>
    internal bool IsOverBudget => Volatile.Read(ref held) >= options.Value.MaxAnswerMemoryBytes;

    internal void Hold(long bytes) => Interlocked.Add(ref held, bytes);

    internal void HoldInFile(long bytes) => Interlocked.Add(ref inFiles, bytes);

    /// <summary>Waits until something of this length may be whole in memory. Dispose it to let others.</summary>
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
