namespace ViralEngine.LocalHost.Durable;

/// <summary>Wakes one loop. Set many times before it looks, it wakes it once.</summary>
internal sealed class Signal : IDisposable
{
    private readonly SemaphoreSlim semaphore = new(0);
    private int raised;

    public void Set()
    {
        if (Interlocked.Exchange(ref raised, 1) == 0) semaphore.Release();
    }

    /// <summary>Whether the signal came before the time was over.</summary>
    public async Task<bool> WaitAsync(TimeSpan longest, CancellationToken ct)
    {
        if (!await semaphore.WaitAsync(longest, ct)) return false;
        Volatile.Write(ref raised, 0);
        return true;
    }

    public void Dispose() => semaphore.Dispose();
}
