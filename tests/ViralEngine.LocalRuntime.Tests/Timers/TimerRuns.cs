using System.Threading.Channels;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalRuntime.Tests.Timers;

/// <summary>The runs of a test's timer: what each was told, and what each should do.</summary>
internal sealed class TimerRuns
{
    private readonly Channel<TimerInfo> seen = Channel.CreateUnbounded<TimerInfo>();
    private int count;

    public int Count => count;

    public Func<CancellationToken, Task> Work { get; set; } = _ => Task.CompletedTask;

    public async Task RunAsync(TimerInfo timer, CancellationToken ct)
    {
        Interlocked.Increment(ref count);
        seen.Writer.TryWrite(timer);
        await Work(ct);
    }

    public async Task<TimerInfo> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        return await seen.Reader.ReadAsync(limit.Token);
    }
}
