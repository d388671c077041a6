using System.Threading.Channels;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// Groups concurrent database calls into few statements and returns each caller its own result: while one group is
/// running, the next one gathers. A slow group, for example on a dead connection, does not delay the next: then several
/// run concurrently, as with several processes.
/// </summary>
/// <param name="keyOf">Items with the same key never share a statement.</param>
/// <param name="scopeOf">Items with different scopes never share a statement.</param>
/// <param name="runAsync">Runs a group; its result has one entry for each item, in the same order.</param>
internal sealed class GroupRunner<TItem, TResult>(
    Func<TItem, object?> keyOf,
    Func<IReadOnlyList<TItem>, CancellationToken, Task<IReadOnlyList<TResult>>> runAsync,
    Func<TItem, object?>? scopeOf = null,
    int largestGroup = 256)
{
    private const int MaxAtOnce = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly Channel<Entry> entries = Channel.CreateUnbounded<Entry>(new() { SingleReader = true });
    private int running;
    private int underWay;

    public Task<TResult> RunAsync(TItem item)
    {
        var entry = new Entry(item);
        entries.Writer.TryWrite(entry);
        if (Interlocked.CompareExchange(ref running, 1, 0) == 0) _ = Task.Run(DrainAsync);
        return entry.Result.Task;
    }

    private async Task DrainAsync()
    {
        do
        {
            var left = new List<Entry>();
            while (left.Count > 0 || entries.Reader.TryPeek(out _))
            {
                var keys = new HashSet<object>();
                var group = new List<Entry>();
                var later = new List<Entry>();
                foreach (var entry in left) (Fits(entry, keys, group) ? group : later).Add(entry);
                while (group.Count < largestGroup && entries.Reader.TryRead(out var entry))
                    (Fits(entry, keys, group) ? group : later).Add(entry);
                left = later;
                var run = CountAsync(group);
                if (Volatile.Read(ref underWay) < MaxAtOnce)
                    await run.WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                else
                    await run;
            }

            Volatile.Write(ref running, 0);
        }
        while (entries.Reader.TryPeek(out _) && Interlocked.CompareExchange(ref running, 1, 0) == 0);
    }

    private bool Fits(Entry entry, HashSet<object> keys, List<Entry> group) =>
        group.Count < largestGroup
        && (scopeOf is null || group.Count == 0 || Equals(scopeOf(group[0].Item), scopeOf(entry.Item)))
        && (keyOf(entry.Item) is not { } key || keys.Add(key));

    private async Task CountAsync(List<Entry> group)
    {
        Interlocked.Increment(ref underWay);
        await RunGroupAsync(group);
        Interlocked.Decrement(ref underWay);
    }

    private async Task RunGroupAsync(List<Entry> group)
    {
        try
        {
            var results = await runAsync([.. group.Select(entry => entry.Item)], CancellationToken.None);
            for (var i = 0; i < group.Count; i++) group[i].Result.TrySetResult(results[i]);
        }
        catch (PostgresException exception)
            when (group.Count > 1 && !DatabaseAway.EndsConnections(exception)
                && (!exception.IsTransient || exception.SqlState == PostgresErrorCodes.DeadlockDetected))
        {
            // One item is at fault, or two groups deadlocked: run each item by itself. If the connection has ended, the
            // group may have been committed, and would be stored twice.
            foreach (var entry in group) await RunGroupAsync([entry]);
        }
        catch (Exception exception)
        {
            foreach (var entry in group) entry.Result.TrySetException(exception);
        }
    }

    private sealed record Entry(TItem Item)
    {
        public TaskCompletionSource<TResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
