using System.Threading.Channels;
using StackExchange.Redis;

namespace ViralEngine.Testing.Tests;

/// <summary>What the app needs of the Redis protocol, shown of the server that the local stack runs.</summary>
public sealed class RedisServerTests : IAsyncLifetime
{
    private readonly string key = $"test:{Guid.NewGuid():n}";
    private ConnectionMultiplexer redis = null!;

    private IDatabase Database => redis.GetDatabase();

    public async Task InitializeAsync() => redis = await ConnectionMultiplexer.ConnectAsync(TestServers.Redis);

    public async Task DisposeAsync() => await redis.DisposeAsync();

    [Fact]
    public async Task Keeps_a_capped_list_in_order()
    {
        foreach (var value in Enumerable.Range(1, 10))
            await Database.ListRightPushAsync(key, value);
        await Database.ListTrimAsync(key, -3, -1);

        var kept = await Database.ListRangeAsync(key);

        Assert.Equal(["8", "9", "10"], kept.Select(value => value.ToString()));
    }

    [Fact]
    public async Task Delivers_what_is_published_to_subscribers_on_other_connections()
    {
        var received = Channel.CreateUnbounded<string>();
        await using var other = await ConnectionMultiplexer.ConnectAsync(TestServers.Redis);
        await redis.GetSubscriber().SubscribeAsync(
            RedisChannel.Literal(key), (_, message) => received.Writer.TryWrite(message.ToString()));

        await other.GetSubscriber().PublishAsync(RedisChannel.Literal(key), "hello");

        Assert.Equal("hello", await received.Reader.ReadAsync().AsTask().WaitAsync(Eventually.Bound));
    }

    [Fact]
    public async Task Forgets_a_key_when_it_expires()
    {
        await Database.StringSetAsync(key, "value", TimeSpan.FromMilliseconds(200));

        await Eventually.TrueAsync(() => !Database.KeyExists(key), "the key to expire");
    }

    [Fact]
    public async Task Runs_a_script_in_one_step_on_several_kinds_of_keys()
    {
        const string Append =
            """
            local length = redis.call('RPUSH', KEYS[1], ARGV[1])
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
            redis.call('HSET', KEYS[2], 'length', length)
            if length > 5 then return redis.error_reply('full') end
            return {length, redis.call('HGET', KEYS[2], 'length')}
            """;

        var results = await Task.WhenAll(Enumerable.Range(0, 5).Select(
            i => Database.ScriptEvaluateAsync(Append, [key, key + ":meta"], [i, 60_000])));
        var full = await Assert.ThrowsAsync<RedisServerException>(
            () => Database.ScriptEvaluateAsync(Append, [key, key + ":meta"], [5, 60_000]));

        Assert.Equal([1, 2, 3, 4, 5], results.Select(result => (int)result[0]).Order());
        Assert.All(results, result => Assert.Equal((int)result[0], (int)result[1]));
        Assert.Contains("full", full.Message, StringComparison.Ordinal);
        Assert.InRange(
            (await Database.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Publishes_from_inside_a_script()
    {
        var received = Channel.CreateUnbounded<string>();
        await redis.GetSubscriber().SubscribeAsync(
            RedisChannel.Literal(key), (_, message) => received.Writer.TryWrite(message.ToString()));

        await Database.ScriptEvaluateAsync(
            "return redis.call('PUBLISH', ARGV[1], ARGV[2])", [], [key, "from a script"]);

        Assert.Equal("from a script", await received.Reader.ReadAsync().AsTask().WaitAsync(Eventually.Bound));
    }

    [Fact]
    public async Task Comes_back_empty_on_the_same_port_after_it_was_killed()
    {
        await using var own = await RedisProcess.StartAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync(own.ConnectionString);
        await connection.GetDatabase().StringSetAsync("key", "value");

        await own.KillAsync();
        await own.RestartAsync();

        await Eventually.TrueAsync(() => connection.IsConnected, "the connection to return");
        Assert.False(await Eventually.GetAsync(AskAsync, answer => answer is not null, "an answer"));

        async Task<bool?> AskAsync()
        {
            try
            {
                return await connection.GetDatabase().KeyExistsAsync("key");
            }
            catch (RedisConnectionException)
            {
                return null;
            }
        }
    }
}
