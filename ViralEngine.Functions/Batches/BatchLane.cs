using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Lanes;

namespace ViralEngine.Functions.Batches;

/// <summary>One lane of a batch: runs turns until no work is left for it.</summary>
public sealed class BatchLane(BatchLaneRunner runner)
{
    /// <returns>False if the batch must end.</returns>
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

/// <param name="Lane">The lane's number, from 0.</param>
/// <param name="Places">The number of items it runs concurrently.</param>
/// <param name="ClaimSize">The number of items to claim at first for each place.</param>
/// <param name="TurnSeconds">How long a turn accepts new items.</param>
public sealed record LaneStart(Guid TenantId, Guid BatchId, int Lane, int Places, int ClaimSize, double TurnSeconds);
