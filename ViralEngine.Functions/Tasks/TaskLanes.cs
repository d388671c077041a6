using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Lanes;

namespace ViralEngine.Functions.Tasks;

/// <summary>
/// Starts lanes for single tasks. A failure here costs only time: a sweep starts lanes for waiting tasks. Idempotent.
/// </summary>
public sealed partial class TaskLanes(LaneSignals signals, IOptions<LanesOptions> options, ILogger<TaskLanes> logger)
{
    /// <summary>Tells a lane that tasks are due; starts one if none hears it.</summary>
    public async Task WakeAsync(DurableTaskClient durable, CancellationToken ct)
    {
        if (await signals.TellAsync())
            return;
        // The first lane may be just ending.
        if (!await StartAsync(durable, 0, ct))
            await StartAsync(durable, 1, ct);
    }

    /// <returns>False if it is already running or could not be started.</returns>
    public async Task<bool> StartAsync(DurableTaskClient durable, int lane, CancellationToken ct)
    {
        if (lane >= options.Value.MaxTaskLanes)
            return false;
        var instanceId = $"task-lane-{lane}";
        try
        {
            await durable.ScheduleNewOrchestrationInstanceAsync(
                nameof(TaskLane),
                new TaskLaneStart(lane, options.Value.TurnSeconds),
                new StartOrchestrationOptions(instanceId),
                ct);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Either it is already running or the store cannot be reached. The exceptions differ between the hosts; the
            // handling does not.
            LogNotStarted(logger, e, instanceId);
            return false;
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Lane {InstanceId} was not started; the sweep will start it")]
    private static partial void LogNotStarted(ILogger logger, Exception exception, string instanceId);
}
