using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Limits;

/// <summary>
/// Limits the request rates of tenants and their callers by the generic cell rate algorithm (ITU-T I.371), which stores
/// one time per key. Shared by all instances in Redis (<c>viral:{tenant}:rate…</c>), one round trip per request;
/// without Redis, each instance allows its share.
/// </summary>
public sealed partial class RateLimiter(
    RedisConnection redis, IOptions<LimitsOptions> options, TimeProvider time, ILogger<RateLimiter> logger)
{
    public const int WindowSeconds = 10;

    /// <summary>The maximum number of keys remembered without Redis; forgotten ones start over.</summary>
    private const int MaxLocalKeys = 50_000;

    // All or none: a request that exceeds the tenant's rate does not count against the caller's. Times are in
    // microseconds, by the clock of Redis, because instances' clocks may differ.
    private const string Script =
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local out = {}
        local tats = {}
        local allowed = 1
        for i = 1, #KEYS do
            local interval = tonumber(ARGV[2 * i - 1])
            local window = tonumber(ARGV[2 * i])
            local tat = tonumber(redis.call('GET', KEYS[i]) or '0')
            if tat < now then tat = now end
            tats[i] = tat
            if tat + interval - now > window then allowed = 0 end
        end
        for i = 1, #KEYS do
            if allowed == 1 then
                tats[i] = tats[i] + tonumber(ARGV[2 * i - 1])
                redis.call('SET', KEYS[i], string.format('%.0f', tats[i]), 'PX', 20000)
            end
            out[i] = string.format('%.0f', tats[i] - now)
        end
        out[#KEYS + 1] = tostring(allowed)
        return out
        """;

    private readonly ConcurrentDictionary<string, double> local = new();
    private int away;

    /// <summary>Counts a request of the caller unless it exceeds a limit. Null if the plan has no limit.</summary>
    public async Task<RateDecision?> TakeAsync(TenantId tenant, string principal, string plan)
    {
        var perSecond = options.Value.Of(plan).RequestsPerSecond;
        if (perSecond == 0)
            return null;

        RateQuota[] quotas =
        [
            new("tenant", $"viral:{{{tenant}}}:rate", perSecond),
            new("caller", $"viral:{{{tenant}}}:rate:{principal}", Math.Max(1, perSecond / 2.0)),
        ];
        return await TakeSharedAsync(quotas) ?? TakeLocally(quotas);
    }

    private async Task<RateDecision?> TakeSharedAsync(RateQuota[] quotas)
    {
        if (redis.Database is { } database)
        {
            try
            {
                RedisValue[] args =
                [
                    .. quotas.SelectMany(quota => (RedisValue[])[Text(quota.Interval), Text(quota.Window)])
                ];
                var answer = (string[])(await database.ScriptEvaluateAsync(
                    Script, [.. quotas.Select(quota => (RedisKey)quota.Key)], args))!;
                if (Interlocked.Exchange(ref away, 0) == 1)
                    LogBack(logger);
                return new RateDecision(
                    answer[^1] == "1",
                    [.. quotas.Select((quota, i) => Limit(quota, double.Parse(answer[i], Invariant)))]);
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // As where it is not connected.
            }
        }

        if (redis.IsConfigured && Interlocked.Exchange(ref away, 1) == 0)
            LogAway(logger, options.Value.ExpectedInstances);
        return null;
    }

    private RateDecision TakeLocally(RateQuota[] quotas)
    {
        if (local.Count > MaxLocalKeys)
            local.Clear();
        var now = Now();
        var shares = redis.IsConfigured
            ? [.. quotas.Select(quota => quota with { PerSecond = quota.PerSecond / options.Value.ExpectedInstances })]
            : quotas;
        lock (local)
        {
            var tats = shares.Select(share => Math.Max(local.GetValueOrDefault(share.Key), now)).ToArray();
            var allowed = !shares.Where((share, i) => tats[i] + share.Interval - now > share.Window).Any();
            for (var i = 0; i < shares.Length && allowed; i++)
                local[shares[i].Key] = tats[i] += shares[i].Interval;
            return new RateDecision(allowed, [.. shares.Select((share, i) => Limit(share, tats[i] - now))]);
        }
    }

    private static RateLimit Limit(RateQuota quota, double ahead) => new(
        quota.Name,
        (int)Math.Max(1, quota.Window / quota.Interval),
        (int)Math.Max(0, Math.Floor((quota.Window - ahead) / quota.Interval + 1e-6)),
        (int)Math.Ceiling(ahead / 1e6),
        (int)Math.Ceiling(Math.Max(0, ahead + quota.Interval - quota.Window) / 1e6));

    private double Now() => Math.Floor((time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMicroseconds);

    private static System.Globalization.CultureInfo Invariant => System.Globalization.CultureInfo.InvariantCulture;

    private static string Text(double number) => number.ToString("F3", Invariant);

    /// <param name="Key">The Redis key; its part in braces keeps a tenant's keys on one node of a cluster.</param>
    private sealed record RateQuota(string Name, string Key, double PerSecond)
    {
        public double Interval => 1e6 / PerSecond;

        // A rate below one request per window would reject all.
        public double Window => Math.Max(WindowSeconds * 1e6, Interval);
    }

    [LoggerMessage(
        1, LogLevel.Warning, "Redis is unreachable: this instance allows 1/{Instances} of the request rates")]
    private static partial void LogAway(ILogger logger, int instances);

    [LoggerMessage(2, LogLevel.Information, "Redis is reachable again: request rates are shared")]
    private static partial void LogBack(ILogger logger);
}

/// <param name="Limits">The limits after the request, the tenant's first.</param>
public sealed record RateDecision(bool Allowed, IReadOnlyList<RateLimit> Limits);

/// <summary>A rate for <c>RateLimit</c> and <c>RateLimit-Policy</c>.</summary>
/// <param name="Quota">Requests per window.</param>
/// <param name="Remaining">Requests allowed immediately.</param>
/// <param name="ResetSeconds">Seconds until the full quota is available.</param>
/// <param name="RetrySeconds">Seconds until one more request is allowed; 0 for now.</param>
public sealed record RateLimit(string Name, int Quota, int Remaining, int ResetSeconds, int RetrySeconds);
