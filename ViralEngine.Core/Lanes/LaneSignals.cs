using StackExchange.Redis;
using ViralEngine.Core.Redis;

namespace ViralEngine.Core.Lanes;

/// <summary>
/// Wakes lanes that wait for single tasks, on any instance, through the Redis channel <c>viral:lanes</c>. The sender
/// learns whether any lane heard it. Without Redis, lanes poll.
/// </summary>
public sealed class LaneSignals(RedisConnection redis) : IDisposable
{
    private static readonly RedisChannel Channel = RedisChannel.Literal("viral:lanes");
    private readonly SemaphoreSlim changing = new(1);
    private readonly Lock gate = new();
    private readonly LinkedList<LaneListener> listeners = [];
    private Task<bool>? telling;
    private Task<bool>? next;

    /// <summary>Whether lanes can be notified; otherwise they poll.</summary>
    public bool CanTell => redis.Database is not null;

    /// <summary>Notifies lanes that tasks are due. Concurrent callers share the next message.</summary>
    /// <returns>False if no lane listens, or if that is unknown.</returns>
    public Task<bool> TellAsync()
    {
        lock (gate)
        {
            if (telling is null || telling.IsCompleted)
                return telling = PublishAsync();
            return next ??= AfterAsync(telling);
        }
    }

    /// <summary>
    /// Starts listening. From then on, one of this process's lanes hears each message. Dispose the result to stop.
    /// </summary>
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

    /// <summary>Wakes the lane that has waited longest, except <paramref name="but"/>.</summary>
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

            // No lane waits: those about to look will see it.
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
            // Without Redis, the lanes of this process poll, and senders learn that nobody heard.
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

    /// <summary>Whether it has room and waits for work.</summary>
    internal bool Waits { get; private set; }

    /// <summary>Waits to be woken, at most this long.</summary>
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

    /// <summary>Wakes this lane, for example when one of its calls has ended.</summary>
    public void Wake() => bell.Ring();

    /// <summary>Whether a message has arrived since the last call.</summary>
    public bool WasTold() => Interlocked.Exchange(ref told, 0) == 1;

    /// <summary>Lets another lane of this process look, because there is more than this one takes.</summary>
    public void PassOn() => signals.Pass(this);

    public async ValueTask DisposeAsync() => await signals.StopAsync(this);

    internal void Tell()
    {
        Volatile.Write(ref told, 1);
        Wake();
    }
}
