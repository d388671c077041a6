using StackExchange.Redis;
using ViralEngine.Core.Redis;

namespace ViralEngine.Core.Lanes;

/// <summary>
/// Whether anything is open or arrived recently, on any instance. If not, sweeps leave the database alone, so that a
/// database billed by the hour can pause. In Redis (<c>viral:awake</c>), by its clock; without Redis, always true.
/// </summary>
public sealed class Awake(RedisConnection redis, TimeProvider time)
{
    /// <summary>
    /// How long after the last sign sweeps look for work: longer than a lease, so that the work of a dead process is
    /// found.
    /// </summary>
    public static readonly TimeSpan ForWork = TimeSpan.FromMinutes(2);

    /// <summary>How long after the last sign metrics are evaluated, so that silence is noticed.</summary>
    public static readonly TimeSpan ForMetrics = TimeSpan.FromMinutes(20);

    private static readonly TimeSpan Kept = TimeSpan.FromHours(1);
    private static readonly TimeSpan MarkEvery = TimeSpan.FromSeconds(5);
    private static readonly RedisKey Key = "viral:awake";
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
            database.StringSet(Key, 1, Kept, When.Always, CommandFlags.FireAndForget);
        else
            Volatile.Write(ref marked, 0);
    }

    /// <returns>False if nothing is open and nothing has arrived within this age.</returns>
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
