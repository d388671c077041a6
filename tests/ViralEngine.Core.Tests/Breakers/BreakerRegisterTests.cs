using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Breakers;
using ViralEngine.Core.Redis;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Breakers;

/// <summary>Two instances whose clocks are an hour apart agree on what is open, and for how long.</summary>
public sealed class BreakerRegisterTests : IAsyncLifetime
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);
    private static readonly RedisConnection Redis = new(
        new RedisSettings(TestServers.Redis), NullLogger<RedisConnection>.Instance);

    private readonly string host = $"{Guid.NewGuid():n}.example.com";
    private readonly FakeTimeProvider fast = new(DateTimeOffset.UtcNow.AddHours(1));
    private readonly FakeTimeProvider right = new(DateTimeOffset.UtcNow);
    private BreakerRegister ofFast = null!;
    private BreakerRegister ofRight = null!;

    public async Task InitializeAsync()
    {
        await Eventually.TrueAsync(() => Redis.Database is not null, "Redis to be connected");
        (ofFast, ofRight) = (new(Redis, fast), new(Redis, right));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_pause_is_as_long_for_the_other_instance()
    {
        Assert.True(await ofFast.OpenAsync(host, Pause, again: false));

        var until = await ofRight.OpenUntilAsync(host);

        Assert.InRange(until!.Value - right.GetUtcNow(), Pause / 2, Pause);
    }

    [Fact]
    public async Task The_first_to_open_it_says_for_how_long()
    {
        await ofRight.OpenAsync(host, Pause, again: false);

        Assert.False(await ofFast.OpenAsync(host, 10 * Pause, again: false));

        Assert.InRange((await ofFast.OpenUntilAsync(host))!.Value - fast.GetUtcNow(), Pause / 2, Pause);
    }

    [Fact]
    public async Task One_of_all_makes_the_trial_call_when_the_pause_is_over()
    {
        await ofFast.OpenAsync(host, TimeSpan.FromMilliseconds(1), again: false);
        await Eventually.TrueAsync(async () => await ofRight.TakeProbeAsync(host, Pause), "the pause to be over");

        Assert.False(await ofFast.TakeProbeAsync(host, Pause));

        await ofRight.CloseAsync(host);
        Assert.False(await ofFast.TakeProbeAsync(host, Pause));
    }

    [Fact]
    public async Task A_failed_trial_call_opens_it_again()
    {
        await ofFast.OpenAsync(host, TimeSpan.FromMilliseconds(1), again: false);
        await Eventually.TrueAsync(async () => await ofFast.TakeProbeAsync(host, Pause), "the pause to be over");

        Assert.True(await ofFast.OpenAsync(host, Pause, again: true));

        Assert.False(await ofRight.TakeProbeAsync(host, Pause));
        Assert.InRange((await ofRight.OpenUntilAsync(host))!.Value - right.GetUtcNow(), Pause / 2, Pause);
    }
}
