using Npgsql;

namespace ViralEngine.Core.Lanes;

/// <summary>Looks after what this process holds, round after round, for as long as it holds anything.</summary>
/// <param name="isIdle">Whether nothing is held.</param>
/// <param name="roundAsync">One round. What it misses while the database is away, leases and fencing make good.</param>
/// <param name="logFailed">Null if a round does not fail.</param>
internal sealed class UpkeepLoop(
    TimeSpan every, Func<bool> isIdle, Func<Task> roundAsync, TimeProvider time, Action<Exception>? logFailed = null)
{
    private int running;

    /// <summary>Call it after something was added.</summary>
    public void Start()
    {
        if (Interlocked.CompareExchange(ref running, 1, 0) == 0)
            _ = RunAsync();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(every, time);
            if (isIdle())
            {
                Volatile.Write(ref running, 0);
                // What was added between the check and the write would have seen a loop that is about to end.
                if (isIdle() || Interlocked.CompareExchange(ref running, 1, 0) != 0)
                    return;
            }

            try
            {
                await roundAsync();
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
            {
                logFailed?.Invoke(e);
            }
        }
    }
}
