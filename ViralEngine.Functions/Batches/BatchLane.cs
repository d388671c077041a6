using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Lanes;

namespace ViralEngine.Functions.Batches;

/// <summary>One lane of a batch: turn after turn, until there is nothing left for it.</summary>
public sealed class BatchLane(BatchLaneRunner runner)
{
    /// <returns>False: the batch is to end.</returns>
    [Function(nameof(BatchLane))]
    public static async Task<bool> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var start = context.GetInput<LaneStart>()!;
        var last = await LaneTurns.RunAsync(
            context,
            start.TurnSeconds,
            () => context.CallActivityAsync<LaneTurn>(nameof(RunBatchLane), start, BatchOrchestration.Persistent),
            turn => turn.Ended,
            turn =>
            {
                start = start with { ClaimSize = turn.ClaimSize };
                return turn.Wait;
            });
        if (last is not null)
            return !last.Stopped;
        context.ContinueAsNew(start);
        return true;
    }

    [Function(nameof(RunBatchLane))]
    public Task<LaneTurn> RunBatchLane([ActivityTrigger] LaneStart start, CancellationToken ct) =>
        runner.RunAsync(new TenantId(start.TenantId), start.BatchId, start.Lane, start.Places, start.ClaimSize, ct);
}

/// <param name="Lane">From 0.</param>
/// <param name="Places">How many items it runs at a time.</param>
/// <param name="ClaimSize">How many items to claim at first for each place.</param>
/// <param name="TurnSeconds">How long a turn takes on items.</param>
public sealed record LaneStart(Guid TenantId, Guid BatchId, int Lane, int Places, int ClaimSize, double TurnSeconds);
