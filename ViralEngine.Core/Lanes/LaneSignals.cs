using StackExchange.Redis;
using ViralEngine.Core.Redis;

namespace ViralEngine.Core.Lanes;

/// <summary>
/// Wakes lanes that wait for single tasks, on whichever instance they are, by the Redis channel <c>viral:lanes</c>. Who tells of a task
/// learns whether any lane heard it. Without Redis lanes look for themselves.
/// </summary>
public sealed class LaneSignals(RedisConnection redis) : IDisposable
{
    private static readonly RedisChannel Channel = RedisChannel.Literal("viral:lanes");
    private readonly SemaphoreSlim changing = new(1);
    private readonly Lock gate = new();
    private readonly LinkedList<LaneListener> listeners = [];
    private Task<bool>? telling;
    private Task<bool>? next;

    /// <summary>Whether lanes are told: otherwise they look from time to time.</summary>
    public bool CanTell => redis.Database is not null;

    /// <summary>
    /// Tells that tasks are due. Those who ask while a message is on its way share the next one.
    /// </summary>
    /// <returns>False: no lane listens, or it is not known whether one does.</returns>
    public Task<bool> TellAsync()
    {
        lock (gate)
        {
            if (telling is null || telling.IsCompleted)
                return telling = PublishAsync();
            return next ??= AfterAsync(telling);
        }
    }

    /// <summary>Starts to listen; dispose to stop. What is told from then on is heard by one of this process's lanes.</summary>
    public async Task<LaneListener> ListenAsync()
    {
        var listener = new LaneListener(this);
        await changing.WaitAsync();
        try
        {
            bool first;
            lock (gate)
            {
                first = listeners.Count == 0;
                listeners.AddLast(listener);
            }

            if (first)
                await TryAsync(subscriber => subscriber.SubscribeAsync(Channel, (_, _) => Pass(null)));
        }
        finally
        {
            changing.Release();
        }

        return listener;
    }

    public void Dispose() => changing.Dispose();

    /// <summary>Wakes one lane: the one that has waited longest, other than <paramref name="but"/>.</summary>
    internal void Pass(LaneListener? but)
    {
        lock (gate)
        {
            for (var node = listeners.First; node is not null; node = node.Next)
            {
                if (node.Value == but || !node.Value.Waits)
                    continue;
                listeners.Remove(node);
                listeners.AddLast(node);
                node.Value.Tell();
                return;
            }

            // None waits: those that are about to look will see it.
            foreach (var listener in listeners)
            {
                if (listener != but)
                    listener.Tell();
            }
        }
    }

    internal async Task StopAsync(LaneListener listener)
    {
        await changing.WaitAsync();
        try
        {
            bool last;
            lock (gate)
            {
                listeners.Remove(listener);
                last = listeners.Count == 0;
            }

            if (last)
                await TryAsync(subscriber => subscriber.UnsubscribeAsync(Channel));
        }
        finally
        {
            changing.Release();
        }
    }

    private async Task<bool> AfterAsync(Task<bool> before)
    {
        await before;
        Task<bool> mine;
        lock (gate)
        {
            next = null;
            mine = telling = PublishAsync();
        }

        return await mine;
    }

    private async Task<bool> PublishAsync()
    {
        await Task.Yield();
        if (redis.Database is not { } database)
            return false;
        try
        {
            return await database.PublishAsync(Channel, RedisValue.EmptyString) > 0;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return false;
        }
    }

    private async Task TryAsync(Func<ISubscriber, Task> change)
    {
        if (redis.Database is null || redis.Subscriber is not { } subscriber)
            return;
        try
        {
            await change(subscriber);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // Then the lanes of this process look for themselves, and who tells of a task learns that nobody heard.
        }
    }
}

/// <summary>A lane that listens.</summary>
public sealed class LaneListener : IAsyncDisposable
{
    private readonly LaneSignals signals;
    private readonly Bell bell = new();
    private int told;

    internal LaneListener(LaneSignals signals) => this.signals = signals;

    /// <summary>Whether it has room for more and waits for it.</summary>
    internal bool Waits { get; private set; }

    /// <summary>Waits to be woken, or for so long.</summary>
    /// <param name="hasRoom">Whether the lane could take on more.</param>
    /// <returns>Whether it was woken.</returns>
    public async Task<bool> WaitAsync(TimeSpan most, bool hasRoom, CancellationToken ct)
    {
        Waits = hasRoom;
        try
        {
            return await bell.WaitAsync(most, ct);
        }
        finally
        {
            Waits = false;
        }
    }

    /// <summary>Wakes the lane itself, as when one of its calls has ended.</summary>
    public void Wake() => bell.Ring();

    /// <summary>Whether something was told since it was asked last.</summary>
    public bool WasTold() => Interlocked.Exchange(ref told, 0) == 1;

    /// <summary>There is more than this lane takes: lets another one of this process look.</summary>
    public void PassOn() => signals.Pass(this);

    public async ValueTask DisposeAsync() => await signals.StopAsync(this);

    internal void Tell()
    {
        Volatile.Write(ref told, 1);
        Wake();
    }
}
