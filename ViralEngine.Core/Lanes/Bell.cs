namespace ViralEngine.Core.Lanes;

/// <summary>Wakes the waiter; if there is none, the next one. Several rings count as one.</summary>
#pragma warning disable CA1001 // A SemaphoreSlim needs no disposal unless its wait handle is used.
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

    /// <returns>Whether it rang in time.</returns>
    public Task<bool> WaitAsync(TimeSpan most, CancellationToken ct) => woken.WaitAsync(most, ct);
}
