using StackExchange.Redis;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// What a running attempt has streamed so far, for readers on any instance: a Redis list
/// <c>viral:{tenant}:tokens:{task}:{attempt}</c>, one entry a stream event. It holds no truth: when the attempt ends, the
/// answer and its cuts are in PostgreSQL.
/// </summary>
public sealed class TokenLog(RedisConnection redis)
{
    private const string TextMark = "t";
    private const string ResetMark = "r";
    private static readonly TimeSpan Expiry = TimeSpan.FromHours(1);

    /// <summary>Appends entries in order. Where Redis is away they are dropped: readers get them at the end.</summary>
    public void Append(TenantId tenant, Guid taskId, int attempt, IReadOnlyList<TokenEntry> entries)
    {
        if (redis.Database is not { } database)
            return;
        var key = Key(tenant, taskId, attempt);
        var values = new RedisValue[entries.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = entries[i].Text is { } text ? TextMark + text : ResetMark;
        database.ListRightPush(key, values, flags: CommandFlags.FireAndForget);
        database.KeyExpire(key, Expiry, flags: CommandFlags.FireAndForget);
    }

    /// <summary>The entries from index <paramref name="from"/> on; none where Redis is away.</summary>
    public async Task<IReadOnlyList<TokenEntry>> ReadAsync(TenantId tenant, Guid taskId, int attempt, int from)
    {
        if (redis.Database is not { } database)
            return [];
        try
        {
            var values = await database.ListRangeAsync(Key(tenant, taskId, attempt), from, from + 999);
            return [.. values.Select(value => value.ToString()).Select(Parse)];
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return [];
        }
    }

    /// <summary>How many events an attempt left behind whose worker died.</summary>
    public async Task<int> CountAsync(TenantId tenant, Guid taskId, int attempt)
    {
        if (redis.Database is not { } database)
            return 0;
        try
        {
            return (int)await database.ListLengthAsync(Key(tenant, taskId, attempt));
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return 0;
        }
    }

    private static TokenEntry Parse(string value) =>
        value.StartsWith(TextMark, StringComparison.Ordinal) ? new(value[1..]) : TokenEntry.Reset;

    private static RedisKey Key(TenantId tenant, Guid taskId, int attempt) => $"viral:{tenant}:tokens:{taskId}:{attempt}";
}

/// <summary>One event of a token stream: a piece of text, or (null) "forget what came before".</summary>
public readonly record struct TokenEntry(string? Text)
{
    public static TokenEntry Reset { get; } = new(null);
}
