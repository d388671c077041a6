using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Lanes;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Tasks;

/// <summary>
/// A lane that runs single tasks of all tenants, turn after turn, while there is work. Started by requests whose task
/// no lane heard of, by full lanes, and by a sweep.
/// </summary>
public sealed class TaskLane(TaskLaneRunner runner, TaskLanes lanes, WorkflowStarts workflows)
{
    [Function(nameof(TaskLane))]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var start = context.GetInput<TaskLaneStart>()!;
        var last = await LaneTurns.RunAsync(
            context,
            start.TurnSeconds,
            () => context.CallActivityAsync<TaskLaneTurn>(nameof(RunTaskLane), start, BatchOrchestration.Persistent),
            turn => turn.Ended,
            turn => turn.Wait);
        if (last is null)
            context.ContinueAsNew(start);
    }

    [Function(nameof(RunTaskLane))]
    public Task<TaskLaneTurn> RunTaskLane(
        [ActivityTrigger] TaskLaneStart start, [DurableClient] DurableTaskClient durable, CancellationToken ct) =>
        runner.RunAsync(
            new TaskLaneHost(
                token => lanes.StartAsync(durable, start.Lane + 1, token),
                (workflow, token) => workflows.TellAsync(durable, workflow.Id, workflow.Run, token)),
            ct);
}

/// <param name="Lane">The lane's number, from 0.</param>
/// <param name="TurnSeconds">How long a turn accepts new calls.</param>
public sealed record TaskLaneStart(int Lane, double TurnSeconds);
