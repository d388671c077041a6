using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Workflows;

/// <summary>
/// Starts the orchestration of a stored workflow and notifies it of changes. A failure here costs only time: a sweep
/// repeats both.
/// </summary>
public sealed partial class WorkflowStarts(ILogger<WorkflowStarts> logger)
{
    public async Task StartAsync(
        DurableTaskClient durable, TenantId tenant, Guid workflowId, int run, CancellationToken ct)
    {
        try
        {
            await durable.ScheduleNewOrchestrationInstanceAsync(
                nameof(WorkflowOrchestration),
                new WorkflowStart(tenant.Value, workflowId),
                new StartOrchestrationOptions(InstanceId(workflowId, run)),
                ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Either it is already running or the store cannot be reached. The exceptions differ between the hosts; the
            // handling does not.
            LogNotStarted(logger, e, workflowId);
        }
    }

    public async Task TellAsync(DurableTaskClient durable, Guid workflowId, int run, CancellationToken ct)
    {
        try
        {
            await durable.RaiseEventAsync(InstanceId(workflowId, run), WorkflowOrchestration.Changed, "", ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotTold(logger, e, workflowId);
        }
    }

    // The first run has the workflow's id; later runs have their own, because the previous one may not have ended yet.
    private static string InstanceId(Guid workflowId, int run) =>
        run == 1 ? workflowId.ToString() : $"{workflowId}-{run}";

    [LoggerMessage(
        1, LogLevel.Debug, "Workflow {WorkflowId}: its orchestration was not started; the sweep will start it")]
    private static partial void LogNotStarted(ILogger logger, Exception exception, Guid workflowId);

    [LoggerMessage(
        2, LogLevel.Debug, "Workflow {WorkflowId}: its orchestration was not notified; the sweep will notify it")]
    private static partial void LogNotTold(ILogger logger, Exception exception, Guid workflowId);
}
