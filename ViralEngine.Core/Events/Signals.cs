using StackExchange.Redis;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Events;

/// <summary>
/// Tells instances that something about a task, batch or workflow changed; what changed they read for themselves. Channels
/// <c>viral:{tenant}:changed:{id}</c>. A signal may be lost: who waits also looks from time to time.
/// </summary>
public sealed class Signals(RedisConnection redis)
{
    public void Publish(TenantId tenant, Guid subjectId) =>
        redis.Database?.Publish(Channel(tenant, subjectId), RedisValue.EmptyString, CommandFlags.FireAndForget);

    /// <summary>Starts to listen. Dispose to stop.</summary>
    public async Task<SignalWaiter> ListenAsync(TenantId tenant, Guid subjectId, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (redis.Database is null || redis.Subscriber is not { } subscriber)
            return new SignalWaiter(redis, null);
        try
        {
            return new SignalWaiter(redis, await subscriber.SubscribeAsync(Channel(tenant, subjectId)));
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return new SignalWaiter(redis, null);
        }
    }

    private static RedisChannel Channel(TenantId tenant, Guid subjectId) =>
        RedisChannel.Literal($"viral:{tenant}:changed:{subjectId}");
}

/// <summary>Waits for a signal, or for the time after which a look is due anyway.</summary>
public sealed class SignalWaiter : IAsyncDisposable
{
    private static readonly TimeSpan PollWithRedis = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PollWithout = TimeSpan.FromMilliseconds(250);
    private readonly SemaphoreSlim signalled = new(0);
    private readonly RedisConnection redis;
    private readonly ChannelMessageQueue? queue;

    internal SignalWaiter(RedisConnection redis, ChannelMessageQueue? queue)
    {
        this.redis = redis;
        this.queue = queue;
        queue?.OnMessage(_ => signalled.Release());
    }

    public async Task WaitAsync(CancellationToken ct)
    {
        var listening = queue is not null && redis.Database is not null;
        await signalled.WaitAsync(listening ? PollWithRedis : PollWithout, ct);
        // Many signals, one look.
        while (signalled.Wait(0, ct))
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (queue is not null)
            await queue.UnsubscribeAsync(CommandFlags.FireAndForget);
        signalled.Dispose();
    }
}
