using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Functions.Tasks;

/// <summary>Sees a task through: one attempt after the other, with the waits between them, until it has ended.</summary>
internal sealed class TaskOrchestration(TaskRunner runner)
{
    [Function(nameof(TaskOrchestration))]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var start = context.GetInput<TaskStart>()!;
        while (await context.CallActivityAsync<DateTime?>(nameof(RunTaskAttempt), start) is { } next)
            await context.CreateTimer(next, CancellationToken.None);
    }

    [Function(nameof(RunTaskAttempt))]
    public Task<DateTime?> RunTaskAttempt([ActivityTrigger] TaskStart start, CancellationToken ct) =>
        runner.RunAsync(new TenantId(start.TenantId), start.TaskId, ct);
}

internal sealed record TaskStart(Guid TenantId, Guid TaskId);
