using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Batches;

/// <summary>One lane of a batch: turn after turn of a few seconds, until there is nothing left for it.</summary>
internal sealed class BatchLane(BatchLaneRunner runner)
{
    /// <summary>After so many turns the history begins anew.</summary>
    private const int TurnsPerHistory = 20;

    /// <returns>False: the batch is to end.</returns>
    [Function(nameof(BatchLane))]
    public static async Task<bool> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var start = context.GetInput<LaneStart>()!;
        for (var i = 0; i < TurnsPerHistory; i++)
        {
            var turn = await context.CallActivityAsync<LaneTurn>(
                nameof(RunBatchLane), start, BatchOrchestration.Persistent);
            if (turn.Ended)
                return !turn.Stopped;
            if (turn.LookAgainAt is { } at)
                await context.CreateTimer(at, CancellationToken.None);
            start = start with { ClaimSize = turn.ClaimSize };
        }

        context.ContinueAsNew(start);
        return true;
    }

    [Function(nameof(RunBatchLane))]
    public Task<LaneTurn> RunBatchLane([ActivityTrigger] LaneStart start, CancellationToken ct) =>
        runner.RunAsync(new TenantId(start.TenantId), start.BatchId, start.Lane, start.ClaimSize, ct);
}

/// <param name="Lane">From 0.</param>
/// <param name="ClaimSize">How many items to claim at first.</param>
internal sealed record LaneStart(Guid TenantId, Guid BatchId, int Lane, int ClaimSize);
