using System.Threading.Channels;
using ViralEngine.LocalHost.Timers;

namespace ViralEngine.LocalHost.Tests.Timers;

/// <summary>The runs of a test's timer: what each was told, and what each should do.</summary>
internal sealed class TimerRuns
{
    private readonly Channel<Told> seen = Channel.CreateUnbounded<Told>();
    private int count;

    public int Count => count;

    public Func<CancellationToken, Task> Work { get; set; } = _ => Task.CompletedTask;

    /// <summary>Does what a run should. False when it was cancelled.</summary>
    public async Task<bool> TryRunAsync(bool pastDue, ScheduleStatus? status, CancellationToken ct)
    {
        Interlocked.Increment(ref count);
        seen.Writer.TryWrite(new(pastDue, status));
        try
        {
            await Work(ct);
            return true;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
    }

    public async Task<Told> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        return await seen.Reader.ReadAsync(limit.Token);
    }

    public sealed record Told(bool IsPastDue, ScheduleStatus? ScheduleStatus);
}
