using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Redis;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Lanes;

public sealed class AwakeTests
{
    private static readonly RedisKey Key = "viral:awake";
    private static readonly RedisKey AlertKey = "viral:alert-open";

    [Fact]
    public async Task A_sign_of_one_instance_is_seen_by_all_until_it_is_old()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var one = new RedisConnection(
            new RedisSettings(redis.ConnectionString), NullLogger<RedisConnection>.Instance);
        await using var other = new RedisConnection(
            new RedisSettings(redis.ConnectionString), NullLogger<RedisConnection>.Instance);
        var awake = new Awake(other, TimeProvider.System);

        var before = await awake.IsSinceAsync(Awake.ForWork);
        new Awake(one, TimeProvider.System).Mark();
        await Eventually.TrueAsync(() => awake.IsSinceAsync(Awake.ForWork), "the sign to be seen");
        // Old, by the clock of Redis: an hour is what a sign is kept.
        await one.Database!.KeyExpireAsync(Key, TimeSpan.FromHours(1) - Awake.ForWork);
        var forWork = await awake.IsSinceAsync(Awake.ForWork);
        var forMetrics = await awake.IsSinceAsync(Awake.ForMetrics);

        Assert.False(before);
        Assert.False(forWork);
        Assert.True(forMetrics);
    }

    [Fact]
    public async Task Signs_in_quick_succession_are_one_and_a_later_one_is_new()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var connection = new RedisConnection(
            new RedisSettings(redis.ConnectionString), NullLogger<RedisConnection>.Instance);
        var clock = new FakeTimeProvider();
        var awake = new Awake(connection, clock);
        clock.Advance(TimeSpan.FromSeconds(1));

        awake.Mark();
        await Eventually.TrueAsync(() => connection.Database!.KeyDeleteAsync(Key), "the first sign");
        awake.Mark();
        var again = await connection.Database!.KeyExistsAsync(Key);
        clock.Advance(TimeSpan.FromSeconds(6));
        awake.Mark();
        await Eventually.TrueAsync(() => connection.Database!.KeyExistsAsync(Key), "the later sign");

        Assert.False(again);
    }

    [Fact]
    public async Task An_open_alert_keeps_detection_going_and_nothing_else()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var connection = new RedisConnection(
            new RedisSettings(redis.ConnectionString), NullLogger<RedisConnection>.Instance);
        var awake = new Awake(connection, TimeProvider.System);

        var before = await awake.IsWatchingAsync();
        awake.MarkAlert();
        await Eventually.TrueAsync(() => awake.IsWatchingAsync(), "the alert to be seen");
        var others = await awake.IsSinceAsync(Awake.ForMetrics);
        // Old, by the clock of Redis: an hour is what a sign is kept.
        await connection.Database!.KeyExpireAsync(AlertKey, TimeSpan.FromHours(1) - Awake.ForMetrics);
        var after = await awake.IsWatchingAsync();

        Assert.Equal((false, false, false), (before, others, after));
    }

    [Fact]
    public async Task Without_Redis_there_is_always_something()
    {
        await using var none = new RedisConnection(new RedisSettings(null), NullLogger<RedisConnection>.Instance);
        var awake = new Awake(none, TimeProvider.System);

        awake.Mark();
        awake.MarkAlert();

        Assert.True(await awake.IsSinceAsync(Awake.ForWork));
        Assert.True(await awake.IsWatchingAsync());
    }
}
