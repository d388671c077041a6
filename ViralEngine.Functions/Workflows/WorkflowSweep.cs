using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Workflows;

namespace ViralEngine.Functions.Workflows;

/// <summary>
/// Starts workflows that a crash left without an orchestration, so that their gates time out too; notifies the others
/// of missed changes; deletes workflows past their retention.
/// </summary>
internal sealed partial class WorkflowSweep(
    WorkflowSweeper sweeper, WorkflowStarts starts, IOptions<WorkflowsOptions> options, ILogger<WorkflowSweep> logger)
{
    private const int MaxTaken = 200;
    private const int MaxDeleted = 500;

    public async Task RunAsync(DurableTaskClient durable, CancellationToken ct)
    {
        var workflows = await sweeper.TakeAsync(MaxTaken, ct);
        foreach (var workflow in workflows)
        {
            await starts.StartAsync(durable, workflow.Tenant, workflow.Id, workflow.Run, ct);
            await starts.TellAsync(durable, workflow.Id, workflow.Run, ct);
        }

        if (workflows.Count > 0)
            LogSwept(logger, workflows.Count);
    }

    public async Task DeleteAsync(CancellationToken ct)
    {
        var retention = TimeSpan.FromDays(options.Value.RetentionDays);
        int deleted;
        do
        {
            deleted = await sweeper.DeleteEndedAsync(retention, MaxDeleted, ct);
            if (deleted > 0)
                LogDeleted(logger, deleted);
        }
        while (deleted > 0);
    }

    [LoggerMessage(1, LogLevel.Information, "Resumed {Count} abandoned workflows")]
    private static partial void LogSwept(ILogger logger, int count);

    [LoggerMessage(2, LogLevel.Information, "Deleted {Count} rows of workflows past their retention")]
    private static partial void LogDeleted(ILogger logger, int count);
}
