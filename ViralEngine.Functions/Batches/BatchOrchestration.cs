using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Batches;

/// <summary>
/// Starts a batch, runs its lanes and ends it. Items are not in the history, so its length does not depend on their
/// number.
/// </summary>
public sealed class BatchOrchestration(BatchCourse course)
{
    /// <summary>The event that ends the batch now.</summary>
    public const string Stop = "stop";

    private const int FewLanes = 4;
    private const int PlacesPerLane = 100;

    /// <summary>For every activity of a batch: outlasts an outage of the database.</summary>
    internal static readonly TaskOptions Persistent = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 10,
        firstRetryInterval: TimeSpan.FromSeconds(1),
        backoffCoefficient: 2,
        maxRetryInterval: TimeSpan.FromSeconds(30)));

    [Function(nameof(BatchOrchestration))]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var start = context.GetInput<BatchStart>()!;
        var places = await context.CallActivityAsync<int>(nameof(BeginBatch), start, Persistent);
        await RunLanesAsync(context, start, places);
        while (await context.CallActivityAsync<BatchPause>(nameof(EndBatch), start, Persistent)
            is { Until: { } until } pause)
        {
            await context.CreateTimer(until, CancellationToken.None);
            if (pause.HasWork)
            {
                context.ContinueAsNew(start with { Generation = start.Generation + 1 });
                return;
            }
        }
    }

    [Function(nameof(BeginBatch))]
    public Task<int> BeginBatch([ActivityTrigger] BatchStart start, CancellationToken ct) =>
        course.BeginAsync(new TenantId(start.TenantId), start.BatchId, ct);

    [Function(nameof(EndBatch))]
    public async Task<BatchPause> EndBatch([ActivityTrigger] BatchStart start, CancellationToken ct) =>
        await course.EndAsync(new TenantId(start.TenantId), start.BatchId, ct);

    /// <summary>Few enough to keep lanes busy, and enough to spread over the instances.</summary>
    internal static int LanesFor(int places) =>
        places <= FewLanes ? places : Math.Max(FewLanes, (places + PlacesPerLane - 1) / PlacesPerLane);

    /// <summary>
    /// Returns when every lane has ended, or when the batch must end: then waiting lanes are not awaited.
    /// </summary>
    private static async Task RunLanesAsync(TaskOrchestrationContext context, BatchStart start, int places)
    {
        var stop = context.WaitForExternalEvent<object?>(Stop);
        var lanes = LanesFor(places);
        var running = Enumerable.Range(0, lanes)
            .Select(lane => context.CallSubOrchestratorAsync<bool>(
                nameof(BatchLane),
                new LaneStart(
                    start.TenantId, start.BatchId, lane, (places / lanes) + (lane < places % lanes ? 1 : 0),
                    ClaimSize: 1,
                    start.TurnSeconds),
                new SubOrchestrationOptions(instanceId: $"{context.InstanceId}:{start.Generation}:{lane}")))
            .ToList();
        while (running.Count > 0)
        {
            var next = await Task.WhenAny([.. running, stop]);
            if (next == stop || (next is Task<bool> lane && !await lane))
                return;
            running.RemoveAll(lane => lane == next);
        }
    }
}

/// <param name="Generation">Distinguishes the lanes of one pass over the batch from those of the next.</param>
/// <param name="TurnSeconds">How long a lane accepts items before it yields its place.</param>
public sealed record BatchStart(Guid TenantId, Guid BatchId, int Generation, double TurnSeconds);
