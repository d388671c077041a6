using System.Collections.Concurrent;
using System.Globalization;
using StackExchange.Redis;
using ViralEngine.Core.Redis;

namespace ViralEngine.Core.Breakers;

/// <summary>
/// The open breakers of all instances: <c>viral:breaker:{host}</c> exists while one is not closed, <c>…:pause</c> while
/// no call may be made, <c>…:probe</c> while a trial call runs. Instances' clocks may differ, so only Redis counts the
/// time. Changes are published, and reread every second where they matter. Without Redis, each instance knows only its
/// own.
/// </summary>
public sealed class BreakerRegister(RedisConnection redis, TimeProvider time)
{
    private static readonly TimeSpan ReadEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeptAfter = TimeSpan.FromMinutes(10);
    private const int MaxKnown = 10_000;
    private static readonly RedisChannel Channel = RedisChannel.Literal("viral:breakers");

    /// <summary>
    /// KEYS: the breaker, its pause. Returns the rest of the pause in ms, 0 if half open, or nil if closed.
    /// </summary>
    private const string ReadScript =
        """
        if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
        return math.max(0, redis.call('PTTL', KEYS[2]))
        """;

    /// <summary>
    /// KEYS: the breaker, its pause, its trial call. ARGV: the pause in ms, how long to remember the breaker in ms, and
    /// 1 to open one that is not closed. Returns nil, or the rest of the pause in ms if another instance was first.
    /// </summary>
    private const string OpenScript =
        """
        if ARGV[3] == '0' and redis.call('EXISTS', KEYS[1]) == 1 then
            return math.max(0, redis.call('PTTL', KEYS[2]))
        end
        redis.call('SET', KEYS[2], '1', 'PX', ARGV[1])
        redis.call('SET', KEYS[1], '1', 'PX', ARGV[2])
        redis.call('DEL', KEYS[3])
        return nil
        """;

    private readonly ConcurrentDictionary<string, Entry> known = new();
    private int listening;

    /// <summary>Raised when a breaker was closed, on any instance.</summary>
    public event Action<string>? Closed;

    /// <summary>
    /// The hosts with an open breaker, and when a trial call may be made. Also holds paused provider groups, under
    /// <c>tenant/host/…</c>, which are not breakers.
    /// </summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Open => known
        .Where(entry => entry.Value.OpenUntil is not null && !entry.Key.Contains('/'))
        .ToDictionary(entry => entry.Key, entry => entry.Value.OpenUntil!.Value);

    /// <summary>Null if closed; a time in the past if half open.</summary>
    public async Task<DateTimeOffset?> OpenUntilAsync(string host)
    {
        await ListenAsync();
        if (known.TryGetValue(host, out var entry) && time.GetElapsedTime(entry.ReadAt) < ReadEvery)
            return entry.OpenUntil;
        try
        {
            if (redis.Database is { } database)
                Refresh(host, entry, Until(await ReadAsync(database, host)));
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // Fall back to what this instance knows.
        }

        return known.TryGetValue(host, out entry) ? entry.OpenUntil : null;
    }

    /// <summary>
    /// Opens a breaker, or reopens it after a failed trial call. False if another instance was first.
    /// </summary>
    public async Task<bool> OpenAsync(string host, TimeSpan pause, bool again)
    {
        var first = true;
        await TryAsync(async database =>
        {
            var ms = Math.Max(1, (long)pause.TotalMilliseconds);
            var left = await database.ScriptEvaluateAsync(
                OpenScript, [Key(host), Pause(host), Probe(host)],
                [ms, ms + (long)KeptAfter.TotalMilliseconds, again ? "1" : "0"]);
            first = left.IsNull;
            if (first)
                await database.PublishAsync(Channel, $"{host} {ms.ToString(CultureInfo.InvariantCulture)}");
            else
                pause = TimeSpan.FromMilliseconds((long)left);
        });
        Note(host, Until(pause));
        return first;
    }

    public async Task CloseAsync(string host)
    {
        await TryAsync(async database =>
        {
            await database.KeyDeleteAsync([Key(host), Pause(host), Probe(host)]);
            await database.PublishAsync(Channel, host);
        });
        Note(host, null);
        Closed?.Invoke(host);
    }

    /// <summary>Whether this call is the only trial call of all instances.</summary>
    public async Task<bool> TakeProbeAsync(string host, TimeSpan most)
    {
        var now = time.GetUtcNow();
        var taken = false;
        var shared = await TryAsync(async database =>
        {
            taken = await database.StringSetAsync(Probe(host), "1", most, When.NotExists);
            if (!taken)
                return;

            // This instance's knowledge may predate the last trial call: then this one is too late or needless.
            var left = await ReadAsync(database, host);
            Note(host, Until(left));
            taken = left == TimeSpan.Zero;
            if (!taken)
                await database.KeyDeleteAsync(Probe(host));
        });
        if (shared)
            return taken;

        // Without Redis: whoever advances the time makes the trial call.
        return known.TryGetValue(host, out var entry) && entry.OpenUntil <= now
            && known.TryUpdate(host, new Entry(now + most, time.GetTimestamp()), entry);
    }

    public Task ReleaseProbeAsync(string host) => TryAsync(database => database.KeyDeleteAsync(Probe(host)));

    /// <summary>Subscribes to other instances' changes, once.</summary>
    internal async Task ListenAsync()
    {
        if (redis.Database is null || redis.Subscriber is not { } subscriber
            || Interlocked.Exchange(ref listening, 1) == 1)
            return;
        try
        {
            await subscriber.SubscribeAsync(Channel, (_, message) => Hear(message.ToString()));
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            Volatile.Write(ref listening, 0);
        }
    }

    private void Hear(string message)
    {
        var space = message.IndexOf(' ', StringComparison.Ordinal);
        var host = space < 0 ? message : message[..space];
        Note(host, space < 0 ? null : Until(
            TimeSpan.FromMilliseconds(long.Parse(message.AsSpan(space + 1), CultureInfo.InvariantCulture))));
        if (space < 0)
            Closed?.Invoke(host);
    }

    /// <summary>Notes what was read, unless a change was heard of meanwhile, which is newer.</summary>
    private void Refresh(string host, Entry? before, DateTimeOffset? until)
    {
        var read = new Entry(until, time.GetTimestamp());
        if (before is null ? known.TryAdd(host, read) : known.TryUpdate(host, read, before))
            Bound();
    }

    private void Note(string host, DateTimeOffset? until)
    {
        known[host] = new Entry(until, time.GetTimestamp());
        Bound();
    }

    private void Bound()
    {
        if (known.Count <= MaxKnown)
            return;
        foreach (var closed in known.Where(entry => entry.Value.OpenUntil is null))
            known.TryRemove(closed);
    }

    private async Task<bool> TryAsync(Func<IDatabase, Task> change)
    {
        if (redis.Database is not { } database)
            return false;
        try
        {
            await change(database);
            return true;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return false;
        }
    }

    private static async Task<TimeSpan?> ReadAsync(IDatabase database, string host)
    {
        var left = await database.ScriptEvaluateAsync(ReadScript, [Key(host), Pause(host)]);
        return left.IsNull ? null : TimeSpan.FromMilliseconds((long)left);
    }

    /// <summary>By this instance's clock.</summary>
    private DateTimeOffset? Until(TimeSpan? left) => left is { } rest ? time.GetUtcNow() + rest : null;

    private static RedisKey Key(string host) => $"viral:breaker:{{{host}}}";

    private static RedisKey Pause(string host) => $"viral:breaker:{{{host}}}:pause";

    private static RedisKey Probe(string host) => $"viral:breaker:{{{host}}}:probe";

    private sealed record Entry(DateTimeOffset? OpenUntil, long ReadAt);
}
