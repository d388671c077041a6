using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Redis;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Flow;

/// <summary>
/// Two instances share what a provider allows, by the clock of Redis. Times are bounds from below: a slow machine only
/// makes them longer.
/// </summary>
public sealed class FlowControlTests : IAsyncLifetime
{
    private readonly RedisConnection redis = NewConnection(TestServers.Redis);
    private readonly Guid tenant = Guid.CreateVersion7();
    private readonly FlowControl one;
    private readonly FlowControl other;

    public FlowControlTests() => (one, other) = (NewFlow(redis), NewFlow(redis));

    public Task InitializeAsync() => Eventually.TrueAsync(() => redis.Database is not null, "Redis to be connected");

    public async Task DisposeAsync() => await redis.DisposeAsync();

    [Fact]
    public async Task Instances_share_the_concurrent_calls()
    {
        var call = FlowCalls.New(tenant, concurrency: 2);
        var first = await one.StartAsync(call);
        await using var second = await other.StartAsync(call);

        var full = await other.WaitsForAsync(call);
        await first.DisposeAsync();
        var afterwards = await other.WaitsForAsync(call);

        Assert.Equal(WaitReason.Limit, full);
        Assert.Null(afterwards);
    }

    [Fact]
    public async Task Instances_share_the_requests_per_minute()
    {
        var call = FlowCalls.New(tenant, requests: 600);
        var began = TimeProvider.System.GetTimestamp();

        for (var i = 0; i < 16; i++)
            await (i % 2 == 0 ? one : other).StartAsync(call);

        // Those of half a second are saved up; then there is one each tenth of a second.
        Assert.True(Since(began) >= 0.95, $"16 calls took {Since(began)} s");
    }

    [Fact]
    public async Task Instances_share_the_tokens_per_minute()
    {
        var call = FlowCalls.New(tenant, tokens: 60 * FlowCalls.Estimate);
        var began = TimeProvider.System.GetTimestamp();

        await one.StartAsync(call);
        await other.StartAsync(call);
        await one.StartAsync(call);

        Assert.True(Since(began) >= 1.45, $"three seconds' tokens took {Since(began)} s");
    }

    [Fact]
    public async Task Tokens_that_the_provider_counted_hold_back_the_next_call()
    {
        var call = FlowCalls.New(tenant, tokens: 60_000);
        var pass = await one.StartAsync(call);

        pass.Answered(new AgentUsage(50_000, 50_000, null));
        await pass.DisposeAsync();

        Assert.Equal(WaitReason.Limit, await other.WaitsForAsync(call));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, null)]
    public async Task An_overload_within_an_answer_bounds_the_concurrent_calls(bool isOverload, int? concurrency)
    {
        var call = FlowCalls.New(tenant);
        var pass = await one.StartAsync(call);
        using var answer = new HttpResponseMessage();

        pass.Observe(answer);
        pass.Failed(new AgentException(ErrorClass.Unavailable, "It failed.") { IsOverload = isOverload });
        await pass.DisposeAsync();

        Assert.Equal(concurrency, (await other.ReadAsync(call))!.Concurrency);
    }

    [Fact]
    public async Task After_a_pause_calls_go_on_slowly_and_reach_the_rate_again()
    {
        var call = FlowCalls.New(tenant, requests: 240);
        var pass = await one.StartAsync(call);
        using var answer = new HttpResponseMessage();
        answer.Headers.Add("x-ratelimit-remaining-requests", "0");
        answer.Headers.Add("x-ratelimit-reset-requests", "300ms");

        var began = TimeProvider.System.GetTimestamp();
        pass.Observe(answer);
        pass.Failed(new AgentException(ErrorClass.Unavailable, "It failed."));
        await pass.DisposeAsync();
        for (var i = 0; i < 3; i++)
            await other.StartAsync(call);
        var third = Since(began);

        // One a second at first; without a pause, the third would start a quarter of a second after the first.
        Assert.True(third >= 1.7, $"the third call after the pause started after {third} s");
        var group = $"viral:flow:{{{FlowGroup.Of(call)!.Key}}}";
        await Eventually.TrueAsync(
            async () =>
            {
                await one.StartAsync(call);
                return await redis.Database!.HashGetAsync(group, "eased") == 0;
            },
            "the rate from before the pause");
    }

    [Fact]
    public async Task Calls_that_started_without_Redis_count_when_it_is_back()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var link = new TcpLink(server.Port);
        await using var mine = NewConnection(server.ConnectionBy(link.Port));
        await using var theirs = NewConnection(server.ConnectionString);
        var (cutOff, connected) = (NewFlow(mine), NewFlow(theirs));
        var call = FlowCalls.New(tenant, concurrency: 3);
        await Eventually.TrueAsync(
            () => mine.Database is not null && theirs.Database is not null, "Redis to be connected");

        await using var first = await cutOff.StartAsync(call);
        link.PointTo(FreePort.Take());
        await Eventually.TrueAsync(() => mine.Database is null, "Redis to be lost");
        await using var second = await cutOff.StartAsync(call);
        await using var third = await cutOff.StartAsync(call);
        var fullWithout = await cutOff.WaitsForAsync(call);
        link.PointTo(server.Port);
        await Eventually.TrueAsync(() => mine.Database is not null, "Redis to be back");
        var fullAgain = await cutOff.WaitsForAsync(call);
        var fullForOthers = await connected.WaitsForAsync(call);

        Assert.Equal(WaitReason.Limit, fullWithout);
        Assert.Equal(WaitReason.Limit, fullAgain);
        Assert.Equal(WaitReason.Limit, fullForOthers);
    }

    private static double Since(long began) => TimeProvider.System.GetElapsedTime(began).TotalSeconds;

    private static RedisConnection NewConnection(string connection) =>
        new(new RedisSettings(connection), NullLogger<RedisConnection>.Instance);

    private static FlowControl NewFlow(RedisConnection redis) =>
        new(redis, Options.Create(new LimitsOptions { ExpectedInstances = 1 }), TimeProvider.System);
}
