using StackExchange.Redis;
using ViralEngine.Core.Redis;

namespace ViralEngine.Core.Lanes;

/// <summary>
/// Whether anything is open or came lately, on any instance. While nothing is, sweeps leave the database alone, so that one that
/// is paid by the hour may sleep. In Redis (<c>viral:awake</c>), by its clock; without Redis there is always something.
/// </summary>
public sealed class Awake(RedisConnection redis, TimeProvider time)
{
    /// <summary>For so long after the last sign work is looked for: longer than a lease, so that what a dead process held is found.</summary>
    public static readonly TimeSpan ForWork = TimeSpan.FromMinutes(2);

    /// <summary>For so long metrics are judged: silence is to be noticed.</summary>
    public static readonly TimeSpan ForMetrics = TimeSpan.FromMinutes(20);

    private static readonly TimeSpan Kept = TimeSpan.FromHours(1);
    private static readonly TimeSpan MarkEvery = TimeSpan.FromSeconds(5);
    private static readonly RedisKey Key = "viral:awake";
    private long marked;

    /// <summary>Something came, or is open. Say so before it is stored: whoever dies in between has said it.</summary>
    public void Mark()
    {
        var last = Volatile.Read(ref marked);
        if ((last != 0 && time.GetElapsedTime(last) < MarkEvery)
            || Interlocked.CompareExchange(ref marked, time.GetTimestamp(), last) != last)
        {
            return;
        }

        if (redis.Database is { } database)
            database.StringSet(Key, 1, Kept, When.Always, CommandFlags.FireAndForget);
        else
            Volatile.Write(ref marked, 0);
    }

    /// <returns>False: nothing is open, and nothing has come for so long.</returns>
    public async Task<bool> IsSinceAsync(TimeSpan age)
    {
        if (redis.Database is not { } database)
            return true;
        try
        {
            return await database.KeyTimeToLiveAsync(Key) is { } left && Kept - left < age;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return true;
        }
    }
}
