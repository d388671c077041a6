using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Tasks;

namespace ViralEngine.Functions.Workflows;

/// <summary>
/// Sees a workflow through: looks what there is to do, has it done, and looks again when something has happened. What the workflow
/// has come to is in its rows; nothing of it is kept here.
/// </summary>
internal sealed class WorkflowOrchestration(AdvanceWorkflow advance, WorkflowWebhook webhook)
{
    /// <summary>Raised when a row was changed from outside: a decision, a cancellation, a sweep.</summary>
    public const string Changed = "changed";

    /// <summary>After so many looks the history is begun anew, once nothing is under way.</summary>
    private const int MostLooks = 50;

    [Function(nameof(WorkflowOrchestration))]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var start = context.GetInput<WorkflowStart>()!;
        var running = new Dictionary<string, Task>();
        var changed = context.WaitForExternalEvent<string>(Changed);
        for (var looks = 0; looks < MostLooks || running.Count > 0; looks++)
        {
            var look = await context.CallActivityAsync<WorkflowLook?>(nameof(AdvanceWorkflowStep), start);
            if (look is null || look.Ended)
                return;

            foreach (var work in look.Work)
            {
                if (!running.ContainsKey(work.Key()))
                    running[work.Key()] = RunWorkAsync(context, start, work);
            }

            using var waking = new CancellationTokenSource();
            var wake = look.WakeAt is { } at ? context.CreateTimer(at, waking.Token) : null;
            var happened = await Task.WhenAny([.. running.Values, changed, .. wake is null ? [] : (Task[])[wake]]);
            if (happened != wake)
                waking.Cancel(); // CancelAsync would tell the timer on a thread that is not the orchestration's
            if (happened == changed)
                changed = context.WaitForExternalEvent<string>(Changed);
            foreach (var (key, task) in running.Where(each => each.Value.IsCompleted).ToList())
            {
                await task;
                running.Remove(key);
            }
        }

        context.ContinueAsNew(start);
    }

    [Function(nameof(AdvanceWorkflowStep))]
    public Task<WorkflowLook?> AdvanceWorkflowStep([ActivityTrigger] WorkflowStart start, CancellationToken ct) =>
        advance.RunAsync(new TenantId(start.TenantId), start.WorkflowId, ct);

    [Function(nameof(CallWorkflowWebhook))]
    public Task CallWorkflowWebhook([ActivityTrigger] WebhookWork call, CancellationToken ct) =>
        webhook.RunAsync(new TenantId(call.Start.TenantId), call.Start.WorkflowId, call.Work, ct);

    private static Task RunWorkAsync(TaskOrchestrationContext context, WorkflowStart start, WorkflowWork work) =>
        work.TaskId is { } taskId
            ? context.CallSubOrchestratorAsync(nameof(TaskOrchestration), new TaskStart(start.TenantId, taskId))
            : context.CallActivityAsync(nameof(CallWorkflowWebhook), new WebhookWork(start, work));
}

internal sealed record WorkflowStart(Guid TenantId, Guid WorkflowId);

internal sealed record WebhookWork(WorkflowStart Start, WorkflowWork Work);
