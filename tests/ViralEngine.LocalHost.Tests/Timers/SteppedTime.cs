using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace ViralEngine.LocalHost.Tests.Timers;

/// <summary>A clock that stands still until someone waits for it, and is then moved to what he waits for.</summary>
internal sealed class SteppedTime(DateTimeOffset start) : FakeTimeProvider(start)
{
    private readonly Channel<DateTimeOffset> waits = Channel.CreateUnbounded<DateTimeOffset>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime > TimeSpan.Zero)
            waits.Writer.TryWrite(GetUtcNow() + dueTime);
        return timer;
    }

    /// <summary>When <paramref name="waiters"/> wait, moves to the last of what they wait for.</summary>
    public async Task StepAsync(int waiters = 1)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var until = DateTimeOffset.MinValue;
        for (var waiter = 0; waiter < waiters; waiter++)
        {
            var wait = await waits.Reader.ReadAsync(limit.Token);
            until = wait > until ? wait : until;
        }

        if (until > GetUtcNow())
            Advance(until - GetUtcNow());
    }
}
