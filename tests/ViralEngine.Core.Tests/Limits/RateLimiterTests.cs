using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Limits;

public sealed class RateLimiterTests : IAsyncDisposable
{
    private readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);
    private readonly RedisConnection redis = new(
        new RedisSettings(TestServers.Redis), NullLogger<RedisConnection>.Instance);
    private readonly TenantId tenant = new(Guid.CreateVersion7());
    private readonly LimitsOptions options = new();

    [Fact]
    public async Task Allows_a_windows_quota_at_once_then_as_many_as_time_brings()
    {
        options.Plans.Free.RequestsPerSecond = 2;
        var limiter = await NewLimiterAsync();

        var began = TimeProvider.System.GetTimestamp();
        var burst = await TakeAsync(limiter, 15);
        var seconds = (int)Math.Ceiling(TimeProvider.System.GetElapsedTime(began).TotalSeconds);
        var allowed = 0;
        await Eventually.TrueAsync(
            async () => (allowed += (await TakeAsync(limiter, 1))[0].Allowed ? 1 : 0) == 3, "three more");

        // The caller has half of the tenant's 20, and one a second.
        Assert.InRange(burst.Count(decision => decision.Allowed), 10, 10 + seconds);
        Assert.Equal((10, 9), (burst[0].Limits[1].Quota, burst[0].Limits[1].Remaining));
        Assert.Equal((20, 19), (burst[0].Limits[0].Quota, burst[0].Limits[0].Remaining));
        Assert.Equal(1, burst[^1].Limits[1].RetrySeconds);
    }

    [Fact]
    public async Task Instances_share_the_rate_and_callers_of_a_tenant_its_quota()
    {
        options.Plans.Free.RequestsPerSecond = 2;
        var one = await NewLimiterAsync();
        var other = await NewLimiterAsync();

        var decisions = new List<RateDecision>();
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 30; i++)
            decisions.Add((await (i % 2 == 0 ? one : other).TakeAsync(tenant, $"user:{i % 3}", "free"))!);
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;

        // Two a second come back, by the clock of Redis.
        Assert.InRange(decisions.Count(decision => decision.Allowed), 20, 21 + (int)Math.Ceiling(2 * seconds));
        Assert.InRange(decisions[^1].Limits[0].Remaining, 0, 1);
    }

    [Fact]
    public async Task A_clock_that_is_an_hour_off_takes_nothing_from_the_others()
    {
        options.Plans.Free.RequestsPerSecond = 2;
        var right = await NewLimiterAsync();
        var ahead = new RateLimiter(
            redis, Options.Create(options), new FakeTimeProvider(DateTimeOffset.UtcNow.AddHours(1)),
            NullLogger<RateLimiter>.Instance);

        var first = await TakeAsync(ahead, 2);
        var second = await TakeAsync(right, 2);

        Assert.All([.. first, .. second], decision => Assert.True(decision.Allowed));
        Assert.InRange(second[^1].Limits[1].Remaining, 6, 7);
    }

    [Fact]
    public async Task Without_Redis_an_instance_allows_its_share()
    {
        options.Plans.Free.RequestsPerSecond = 6;
        options.ExpectedInstances = 3;
        await using var away = new RedisConnection(
            new RedisSettings($"127.0.0.1:{FreePort.Take()}"), NullLogger<RedisConnection>.Instance);
        var limiter = new RateLimiter(away, Options.Create(options), time, NullLogger<RateLimiter>.Instance);

        var decisions = await TakeAsync(limiter, 30);

        Assert.Equal(10, decisions.Count(decision => decision.Allowed)); // a third of the caller's 30
    }

    [Fact]
    public async Task A_plan_without_a_rate_has_no_limit() =>
        Assert.Null(await (await NewLimiterAsync()).TakeAsync(tenant, "user:1", "enterprise"));

    public async ValueTask DisposeAsync() => await redis.DisposeAsync();

    private async Task<RateLimiter> NewLimiterAsync()
    {
        await Eventually.TrueAsync(() => redis.Database is not null, "Redis to be connected");
        return new RateLimiter(redis, Options.Create(options), time, NullLogger<RateLimiter>.Instance);
    }

    private async Task<List<RateDecision>> TakeAsync(RateLimiter limiter, int count)
    {
        var decisions = new List<RateDecision>();
        for (var i = 0; i < count; i++)
            decisions.Add((await limiter.TakeAsync(tenant, "user:1", "free"))!);
        return decisions;
    }
}
