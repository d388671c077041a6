using StackExchange.Redis;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// The stream of a running attempt so far, for readers on any instance: a Redis hash
/// <c>viral:{tenant}:tokens:{task}:{attempt}</c> with an entry for each stream event under its number, from 1, and the
/// highest number under <c>last</c>. Writing an entry is idempotent. When the attempt ends, the answer and its pieces
/// are in PostgreSQL.
/// </summary>
public sealed class TokenLog(RedisConnection redis)
{
    private const string TextMark = "t";
    private const string ResetMark = "r";
    private const string LastField = "last";
    private const int FewAtOnce = 64;
    private const int MaxAtOnce = 1024;
    private static readonly TimeSpan Expiry = TimeSpan.FromHours(1);

    public bool IsConfigured => redis.IsConfigured;

    /// <summary>Writes entries, the first of which has the number <paramref name="first"/>.</summary>
    /// <returns>Whether all entries up to the last of these are stored. False if some were lost.</returns>
    public async Task<bool> WriteAsync(
        TenantId tenant, Guid taskId, int attempt, int first, IReadOnlyList<TokenEntry> entries)
    {
        if (redis.Database is not { } database)
            return false;
        var key = Key(tenant, taskId, attempt);
        var last = first + entries.Count - 1;
        var fields = new HashEntry[entries.Count + 1];
        for (var i = 0; i < entries.Count; i++)
            fields[i] = new HashEntry(first + i, entries[i].Text is { } text ? TextMark + text : ResetMark);
        fields[^1] = new HashEntry(LastField, last);
        try
        {
            var written = database.HashSetAsync(key, fields);
            var length = database.HashLengthAsync(key);
            database.KeyExpire(key, Expiry, flags: CommandFlags.FireAndForget);
            await written;
            return await length == last + 1;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return false;
        }
    }

    /// <summary>
    /// Some or all entries after number <paramref name="after"/>, without gaps; none if Redis is unreachable.
    /// </summary>
    public async Task<IReadOnlyList<TokenEntry>> ReadAsync(TenantId tenant, Guid taskId, int attempt, int after)
    {
        if (redis.Database is not { } database)
            return [];
        try
        {
            var entries = new List<TokenEntry>();
            for (var atOnce = FewAtOnce; entries.Count < MaxAtOnce; atOnce = MaxAtOnce - entries.Count)
            {
                var numbers = Enumerable.Range(after + entries.Count + 1, atOnce).Select(number => (RedisValue)number)
                    .ToArray();
                foreach (var value in await database.HashGetAsync(Key(tenant, taskId, attempt), numbers))
                {
                    if (value.IsNull)
                        return entries;
                    entries.Add(Parse(value.ToString()));
                }
            }

            return entries;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return [];
        }
    }

    /// <summary>All entries of an attempt; none if Redis is unreachable.</summary>
    public async Task<IReadOnlyList<TokenEntry>> ReadAllAsync(TenantId tenant, Guid taskId, int attempt)
    {
        var all = new List<TokenEntry>();
        while (await ReadAsync(tenant, taskId, attempt, all.Count) is { Count: > 0 } next)
            all.AddRange(next);
        return all;
    }

    /// <summary>The number of the last entry; null if unknown.</summary>
    public async Task<int?> LastAsync(TenantId tenant, Guid taskId, int attempt)
    {
        if (redis.Database is not { } database)
            return null;
        try
        {
            return (int?)await database.HashGetAsync(Key(tenant, taskId, attempt), LastField);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return null;
        }
    }

    private static TokenEntry Parse(string value) =>
        value.StartsWith(TextMark, StringComparison.Ordinal) ? new(value[1..]) : TokenEntry.Reset;

    private static RedisKey Key(TenantId tenant, Guid taskId, int attempt) =>
        $"viral:{tenant}:tokens:{taskId}:{attempt}";
}

/// <summary>One event of a token stream: a piece of text, or null for a reset.</summary>
public readonly record struct TokenEntry(string? Text)
{
    public static TokenEntry Reset { get; } = new(null);
}
