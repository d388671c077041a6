namespace ViralEngine.Core.Lanes;

/// <summary>Wakes who waits at it; rung while nobody waits, it wakes the next who does. Many rings are one.</summary>
#pragma warning disable CA1001 // A SemaphoreSlim holds nothing to be released unless its wait handle is asked for.
public sealed class Bell
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim woken = new(0, 1);

    public void Ring()
    {
        lock (woken)
        {
            if (woken.CurrentCount == 0)
                woken.Release();
        }
    }

    /// <returns>Whether it rang within the time.</returns>
    public Task<bool> WaitAsync(TimeSpan most, CancellationToken ct) => woken.WaitAsync(most, ct);
}
