using System.Collections.Concurrent;

namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// Lets callers wait until an instance has changed: at once when it did so here, else by asking the store.
/// </summary>
internal sealed class Completions
{
    // Waits back off from 20 ms, which a short orchestration elsewhere needs, to a quarter of a second.
    private const int FirstWait = 20;
    private const int MaxWait = 250;

    private readonly ConcurrentDictionary<string, TaskCompletionSource> waiting = new(StringComparer.Ordinal);

    /// <summary>An instance has finished in this process.</summary>
    public void Finished(string instanceId)
    {
        if (waiting.TryRemove(instanceId, out var waiter)) waiter.TrySetResult();
    }

    /// <summary>Asks until <paramref name="askAsync"/> gives a value.</summary>
    public async Task<T> WaitAsync<T>(
        string instanceId,
        Func<CancellationToken, Task<T?>> askAsync,
        CancellationToken ct)
        where T : class
    {
        for (var wait = FirstWait; ; wait = Math.Min(wait * 2, MaxWait))
        {
            var finished = waiting.GetOrAdd(
                instanceId,
                _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
            if (await askAsync(ct) is { } value) return value;
            await Task.WhenAny(finished.Task, Task.Delay(wait, ct));
            ct.ThrowIfCancellationRequested();
        }
    }
}
