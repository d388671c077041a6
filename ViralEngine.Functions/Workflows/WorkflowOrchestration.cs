using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Tasks;

namespace ViralEngine.Functions.Workflows;

/// <summary>
/// Advances a workflow, runs the calls that result, and advances it again when something has happened. All state is in
/// the workflow's rows.
/// </summary>
public sealed class WorkflowOrchestration(AdvanceWorkflow advance, WorkflowWebhook webhook, TaskLanes lanes)
{
    /// <summary>Raised after an external change: the end of a task, a decision, a cancellation, a sweep.</summary>
    public const string Changed = "changed";

    /// <summary>After this many advances the history is restarted, once no call is running.</summary>
    private const int MaxLooks = 50;

    [Function(nameof(WorkflowOrchestration))]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var start = context.GetInput<WorkflowStart>()!;
        var running = new Dictionary<string, Task>();
        var changed = context.WaitForExternalEvent<string>(Changed);
        for (var looks = 0; looks < MaxLooks || running.Count > 0; looks++)
        {
            var look = await context.CallActivityAsync<WorkflowLook?>(nameof(AdvanceWorkflowStep), start);
            if (look is null || look.Ended)
                return;

            // Tasks run in lanes, which report their end.
            foreach (var work in look.Work.Where(work => work.TaskId is null))
            {
                if (!running.ContainsKey(work.Key()))
                    running[work.Key()] = context.CallActivityAsync(
                        nameof(CallWorkflowWebhook), new WebhookWork(start, work));
            }

            using var waking = new CancellationTokenSource();
            var wake = look.WakeAt is { } at ? context.CreateTimer(at, waking.Token) : null;
            var happened = await Task.WhenAny([.. running.Values, changed, .. wake is null ? [] : (Task[])[wake]]);
            if (happened != wake)
                waking.Cancel(); // CancelAsync would cancel the timer on another thread than the orchestration's
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
    public async Task<WorkflowLook?> AdvanceWorkflowStep(
        [ActivityTrigger] WorkflowStart start, [DurableClient] DurableTaskClient durable, CancellationToken ct)
    {
        var look = await advance.RunAsync(new TenantId(start.TenantId), start.WorkflowId, ct);
        if (look is { HasNewTasks: true })
            await lanes.WakeAsync(durable, ct);
        return look;
    }

    [Function(nameof(CallWorkflowWebhook))]
    public Task CallWorkflowWebhook([ActivityTrigger] WebhookWork call, CancellationToken ct) =>
        webhook.RunAsync(new TenantId(call.Start.TenantId), call.Start.WorkflowId, call.Work, ct);
}

public sealed record WorkflowStart(Guid TenantId, Guid WorkflowId);

public sealed record WebhookWork(WorkflowStart Start, WorkflowWork Work);
