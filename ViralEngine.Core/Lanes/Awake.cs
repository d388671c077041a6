using StackExchange.Redis;
using ViralEngine.Core.Redis;

namespace ViralEngine.Core.Lanes;

/// <summary>
/// Whether anything is open or arrived recently, on any instance. If not, sweeps leave the database alone, so that a
/// database billed by the hour can pause. In Redis (<c>viral:awake</c>, and <c>viral:alert-open</c> for detection), by
/// its clock; without Redis, always true.
/// </summary>
public sealed class Awake(RedisConnection redis, TimeProvider time)
{
    /// <summary>
    /// How long after the last sign sweeps look for work: longer than a lease, so that the work of a dead process is
    /// found.
    /// </summary>
    public static readonly TimeSpan ForWork = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How long after the last sign metrics are evaluated, so that silence is noticed. Two rounds of the sweep that
    /// looks for open alerts fit in.
    /// </summary>
    public static readonly TimeSpan ForMetrics = TimeSpan.FromMinutes(20);

    private static readonly TimeSpan Kept = TimeSpan.FromHours(1);
    private static readonly TimeSpan MarkEvery = TimeSpan.FromSeconds(5);
    private static readonly RedisKey Key = "viral:awake";
    private static readonly RedisKey AlertKey = "viral:alert-open";
    private long marked;

    /// <summary>
    /// Records that work arrived or is open. Call it before storing the work, in case the process dies in between.
    /// </summary>
    public void Mark()
    {
        var last = Volatile.Read(ref marked);
        if ((last != 0 && time.GetElapsedTime(last) < MarkEvery)
            || Interlocked.CompareExchange(ref marked, time.GetTimestamp(), last) != last)
        {
            return;
        }

        if (redis.Database is { } database)
            Sign(database, Key);
        else
            Volatile.Write(ref marked, 0);
    }

    /// <summary>
    /// Records that an alert is open. Detection goes on, because only it can resolve the alert; sweeps of work do not.
    /// </summary>
    public void MarkAlert()
    {
        if (redis.Database is { } database)
            Sign(database, AlertKey);
    }

    /// <returns>False if nothing is open and nothing has arrived within this age.</returns>
    public Task<bool> IsSinceAsync(TimeSpan age) => IsSinceAsync(Key, age);

    /// <returns>Whether minutes are evaluated now: there was work or an open alert recently.</returns>
    public async Task<bool> IsWatchingAsync() =>
        await IsSinceAsync(Key, ForMetrics) || await IsSinceAsync(AlertKey, ForMetrics);

    private static void Sign(IDatabase database, RedisKey key) =>
        database.StringSet(key, 1, Kept, When.Always, CommandFlags.FireAndForget);

    private async Task<bool> IsSinceAsync(RedisKey key, TimeSpan age)
    {
        if (redis.Database is not { } database)
            return true;
        try
        {
            return await database.KeyTimeToLiveAsync(key) is { } left && Kept - left < age;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return true;
        }
    }
}
