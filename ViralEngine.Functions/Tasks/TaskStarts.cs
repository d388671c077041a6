using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Tasks;

/// <summary>
/// Starts the orchestration of a stored task. The task is safe whatever happens here: a sweep starts what was not, and starting
/// twice is harmless.
/// </summary>
internal sealed partial class TaskStarts(TimeProvider time, ILogger<TaskStarts> logger)
{
    /// <summary>Tasks further ahead are started by the sweep when their time is near: a million of them need not wait as orchestrations.</summary>
    private static readonly TimeSpan StartsAtOnce = TimeSpan.FromSeconds(20);

    /// <summary>Starts the first run of a task that was just stored.</summary>
    public Task StartFirstAsync(DurableTaskClient durable, TenantId tenant, Guid taskId, DateTime? scheduledAt, CancellationToken ct) =>
        scheduledAt - time.GetUtcNow().UtcDateTime > StartsAtOnce
            ? Task.CompletedTask
            : StartAsync(durable, tenant, taskId, run: 1, scheduledAt, ct);

    public async Task StartAsync(
        DurableTaskClient durable, TenantId tenant, Guid taskId, int run, DateTime? startAt, CancellationToken ct)
    {
        // The first run has the task's id; a later one has its own, as the one before may not have ended yet.
        var instanceId = run == 1 ? taskId.ToString() : $"{taskId}-{run}";
        try
        {
            await durable.ScheduleNewOrchestrationInstanceAsync(
                nameof(TaskOrchestration),
                new TaskStart(tenant.Value, taskId),
                new StartOrchestrationOptions(instanceId, startAt),
                ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // It runs already, or the store is away. Which, differs between the runtimes; what to do does not.
            LogNotStarted(logger, e, instanceId);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Orchestration {InstanceId} was not started; the sweep will look after it")]
    private static partial void LogNotStarted(ILogger logger, Exception exception, string instanceId);
}
