using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Functions.Tasks;

/// <summary>
/// Starts lanes for waiting tasks: those a crash left behind, scheduled tasks that are nearly due, and more than the
/// running lanes can take.
/// </summary>
internal sealed partial class TaskSweep(
    TaskSweeper sweeper, TaskLanes lanes, IOptions<LanesOptions> options, ILogger<TaskSweep> logger)
{
    /// <summary>Tasks due within this time get a lane in advance, so that they start on time.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    /// <summary>A task that has waited this long has no lane.</summary>
    private static readonly TimeSpan Unattended = TimeSpan.FromSeconds(2);

    public async Task RunAsync(DurableTaskClient durable, CancellationToken ct)
    {
        var backlog = await sweeper.LookAsync(Soon, ct);
        if (backlog.Tasks == 0)
            return;
        await lanes.WakeAsync(durable, ct);
        if (backlog.Oldest < Unattended)
            return;
        // One more than the tasks need, in case a running lane is stuck.
        var wanted = (int)Math.Min(options.Value.MaxTaskLanes, 2 + (backlog.Tasks / options.Value.CallsPerLane));
        var started = 0;
        for (var lane = 0; lane < wanted; lane++)
            started += await lanes.StartAsync(durable, lane, ct) ? 1 : 0;
        if (started > 0)
            LogStarted(logger, started, backlog.Tasks, backlog.Oldest.TotalSeconds);
    }

    [LoggerMessage(
        1, LogLevel.Information, "Started {Lanes} lanes for {Tasks} waiting tasks; the oldest has waited {Seconds} s")]
    private static partial void LogStarted(ILogger logger, int lanes, long tasks, double seconds);
}
