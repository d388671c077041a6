using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Workflows;

/// <summary>
/// Starts the orchestration of a stored workflow, and tells it of changes. The workflow is safe whatever happens here: a sweep starts
/// what was not, and looks where nobody was told.
/// </summary>
public sealed partial class WorkflowStarts(ILogger<WorkflowStarts> logger)
{
    public async Task StartAsync(DurableTaskClient durable, TenantId tenant, Guid workflowId, int run, CancellationToken ct)
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
            // It runs already, or the store is away. Which, differs between the runtimes; what to do does not.
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

    // The first run has the workflow's id; a later one has its own, as the one before may not have ended yet.
    private static string InstanceId(Guid workflowId, int run) => run == 1 ? workflowId.ToString() : $"{workflowId}-{run}";

    [LoggerMessage(1, LogLevel.Debug, "Workflow {WorkflowId}: its orchestration was not started; the sweep will start it")]
    private static partial void LogNotStarted(ILogger logger, Exception exception, Guid workflowId);

    [LoggerMessage(2, LogLevel.Debug, "Workflow {WorkflowId}: its orchestration was not notified; the sweep will notify it")]
    private static partial void LogNotTold(ILogger logger, Exception exception, Guid workflowId);
}
