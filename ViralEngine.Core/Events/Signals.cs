using StackExchange.Redis;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Events;

/// <summary>
/// Notifies instances that a task, batch or workflow changed; they read the change from the database. Channels
/// <c>viral:{tenant}:changed:{id}</c>. A signal may be lost; <see cref="ChangePoller"/> makes up for it.
/// </summary>
public sealed class Signals(RedisConnection redis, ChangePoller poller)
{
    /// <summary>Raised when this process publishes a signal.</summary>
    public event Action? Published;

    public void Publish(TenantId tenant, Guid subjectId)
    {
        redis.Database?.Publish(Channel(tenant, subjectId), RedisValue.EmptyString, CommandFlags.FireAndForget);
        Published?.Invoke();
    }

    /// <summary>Starts listening. Dispose the result to stop.</summary>
    public async Task<SignalWaiter> ListenAsync(TenantId tenant, Guid subjectId, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var waiter = new SignalWaiter(() => SubscribeAsync(tenant, subjectId));
        waiter.Watch = poller.WatchFor(tenant, subjectId, waiter.Signal);
        await waiter.SubscribeAsync();
        return waiter;
    }

    private async Task<ChannelMessageQueue?> SubscribeAsync(TenantId tenant, Guid subjectId)
    {
        if (redis.Database is null || redis.Subscriber is not { } subscriber)
            return null;
        try
        {
            return await subscriber.SubscribeAsync(Channel(tenant, subjectId));
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return null;
        }
    }

    private static RedisChannel Channel(TenantId tenant, Guid subjectId) =>
        RedisChannel.Literal($"viral:{tenant}:changed:{subjectId}");
}

/// <summary>Waits for signals of one subject.</summary>
public sealed class SignalWaiter : IAsyncDisposable
{
    private readonly SemaphoreSlim signalled = new(0);
    private readonly Func<Task<ChannelMessageQueue?>> subscribe;
    private ChannelMessageQueue? queue;

    internal SignalWaiter(Func<Task<ChannelMessageQueue?>> subscribe) => this.subscribe = subscribe;

    internal IDisposable? Watch { get; set; }

    /// <summary>Waits for a signal; false if none arrived in time.</summary>
    public async Task<bool> WaitAsync(TimeSpan most, CancellationToken ct)
    {
        // Redis may be reachable again.
        await SubscribeAsync();
        var any = await signalled.WaitAsync(most, ct);
        // Many signals, one wake-up.
        while (signalled.Wait(0, ct))
        {
        }

        return any;
    }

    public async ValueTask DisposeAsync()
    {
        Watch?.Dispose();
        if (queue is not null)
            await queue.UnsubscribeAsync(CommandFlags.FireAndForget);
    }

    internal void Signal() => signalled.Release();

    internal async Task SubscribeAsync()
    {
        if (queue is not null || await subscribe() is not { } opened)
            return;
        queue = opened;
        opened.OnMessage(_ => Signal());
    }
}
