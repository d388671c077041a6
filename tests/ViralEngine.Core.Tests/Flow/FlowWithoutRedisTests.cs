using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Redis;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Flow;

/// <summary>Declared limits hold while there is no Redis, for each instance by itself.</summary>
public sealed class FlowWithoutRedisTests : IAsyncDisposable
{
    private readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);
    private readonly RedisConnection none = new(new RedisSettings(null), NullLogger<RedisConnection>.Instance);
    private readonly Guid tenant = Guid.CreateVersion7();

    [Fact]
    public async Task Max_concurrency_holds()
    {
        var flow = NewFlow(none);
        var call = FlowCalls.New(tenant, concurrency: 2);
        var first = await flow.StartAsync(call);
        await using var second = await flow.StartAsync(call);

        var third = flow.StartAsync(call);
        time.Advance(TimeSpan.FromSeconds(6));
        var failure = await Assert.ThrowsAsync<AgentException>(() => third);
        await first.DisposeAsync();
        var afterwards = await flow.WaitsForAsync(call);

        Assert.Equal(WaitReason.Limit, failure.WaitsFor);
        Assert.Null(afterwards);
    }

    [Fact]
    public async Task Requests_per_minute_hold()
    {
        var flow = NewFlow(none);
        var call = FlowCalls.New(tenant, requests: 600);

        var calls = Enumerable.Range(0, 30).Select(_ => flow.StartAsync(call)).ToList();
        var atOnce = calls.Count(each => each.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1050));
        await Task.WhenAll(calls.Take(16));

        // Those of half a second are saved up; then there is one each tenth of a second.
        Assert.Equal(6, atOnce);
        Assert.Equal(16, calls.Count(each => each.IsCompleted));
    }

    [Fact]
    public async Task Tokens_per_minute_hold()
    {
        var flow = NewFlow(none);
        var call = FlowCalls.New(tenant, tokens: 60 * FlowCalls.Estimate);

        var calls = Enumerable.Range(0, 4).Select(_ => flow.StartAsync(call)).ToList();
        var atOnce = calls.Count(each => each.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1600));
        await Task.WhenAll(calls.Take(3));

        Assert.Equal(1, atOnce);
        Assert.False(calls[3].IsCompleted);
    }

    [Fact]
    public async Task Tokens_that_the_provider_counted_hold_back_the_next_call()
    {
        var flow = NewFlow(none);
        var call = FlowCalls.New(tenant, tokens: 60_000);
        var pass = await flow.StartAsync(call);

        pass.Answered(new AgentUsage(50_000, 50_000, null));
        await pass.DisposeAsync();

        Assert.Equal(WaitReason.Limit, await flow.WaitsForAsync(call));
    }

    [Fact]
    public async Task An_instance_has_its_share_of_limits_that_others_share()
    {
        await using var away = new RedisConnection(
            new RedisSettings($"127.0.0.1:{FreePort.Take()}"), NullLogger<RedisConnection>.Instance);
        var flow = NewFlow(away);
        var concurrent = FlowCalls.New(tenant, concurrency: 6);
        var frequent = FlowCalls.New(Guid.CreateVersion7(), requests: 600);

        await using var first = await flow.StartAsync(concurrent);
        await using var second = await flow.StartAsync(concurrent);
        var third = await flow.WaitsForAsync(concurrent);
        var atOnce = Enumerable.Range(0, 10).Select(_ => flow.StartAsync(frequent)).Count(each => each.IsCompleted);

        Assert.Equal(WaitReason.Limit, third);
        Assert.Equal(2, atOnce); // one each 0.3 seconds
    }

    public async ValueTask DisposeAsync() => await none.DisposeAsync();

    private FlowControl NewFlow(RedisConnection redis) =>
        new(redis, Options.Create(new LimitsOptions { ExpectedInstances = 3 }), time);
}
