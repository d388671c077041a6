using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Runs one lane of a batch for a turn of a few seconds: claims items, runs them one after the other, settles them, claims the
/// next. Harmless when there is nothing to do, whoever calls it and however often.
/// </summary>
public sealed partial class BatchLaneRunner(
    BatchLaneStore store,
    BatchCourse course,
    SliceRunner slices,
    BatchLaneKeeper keeper,
    LaneBudget budget,
    TenantTurns turns,
    IOptions<BatchOptions> options,
    TimeProvider time,
    ILogger<BatchLaneRunner> logger)
{
    private const long MostBytesRead = 4 * 1024 * 1024;

    /// <summary>When a lane without a place asks again; a turn of another ends sooner or later.</summary>
    private static readonly TimeSpan NoPlace = TimeSpan.FromSeconds(1);

    /// <summary>When a lane asks again that found work and was not let to it: the plan's places are taken.</summary>
    private static readonly TimeSpan NotAdmitted = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    /// <param name="lane">From 0: whose counters are used.</param>
    /// <param name="claimSize">How many items its last turn claimed at a time.</param>
    /// <exception cref="OperationCanceledException">The process is stopping; what was not settled was given back.</exception>
    public async Task<LaneTurn> RunAsync(TenantId tenant, Guid batchId, int lane, int claimSize, CancellationToken ct)
    {
        using var place = budget.TryTake(tenant);
        if (place is null)
            return Later(claimSize, NoPlace);
        if (await store.FindPlanAsync(tenant, batchId, ct) is not { } plan)
            return LaneTurn.Over;
        if (plan.Stopping)
            return LaneTurn.Over with { Stopped = true };

        using var held = keeper.Hold(tenant, batchId, ct);
        var started = time.GetTimestamp();
        SettledSlice? settled = null;
        while (true)
        {
            var goesOn = !held.Ended.IsCancellationRequested
                && time.GetElapsedTime(started).TotalSeconds < options.Value.TurnSeconds;
            if (settled is null && !goesOn)
                break;
            var claim = goesOn ? new SliceClaim(Guid.NewGuid(), claimSize, keeper.Lease) : null;
            if (await ClaimAsync(tenant, batchId, lane, settled, claim) is not { } claimed)
                return claim is null ? TurnEnded(claimSize, ct) : await RestAsync(tenant, batchId, lane, claimSize, ct);

            held.Claim = new HeldClaim(claimed.Lease) { Renewed = time.GetTimestamp() };
            var run = await slices.RunAsync(tenant, plan, claimed, held.Ended);
            held.Claim = null;
            (settled, claimSize) = (run.Settled, run.NextClaimSize(claimSize));
        }

        return TurnEnded(claimSize, ct);
    }

    /// <summary>Not cancelled with the process: what was run is to be kept, and each step is short.</summary>
    private async Task<ClaimedSlice?> ClaimAsync(
        TenantId tenant, Guid batchId, int lane, SettledSlice? settled, SliceClaim? claim)
    {
        using var turn = await turns.TakeAsync(tenant);
        var step = await store.SettleAndClaimAsync(tenant, batchId, lane, settled, claim, CancellationToken.None);
        if (!step.Kept)
            LogLeaseLost(logger, batchId, settled!.Lease.First, settled.Lease.Last);
        if (step.Taken is not { } lease)
            return null;
        var (items, next) = await store.ReadAsync(tenant, batchId, lease, MostBytesRead, CancellationToken.None);
        return new ClaimedSlice(lease, items, next);
    }

    /// <summary>
    /// Nothing is free. As many lanes stay as there are ranges that are held or wait for a retry; the others are not needed any
    /// more. The first to see that none is left announces the end.
    /// </summary>
    private async Task<LaneTurn> RestAsync(TenantId tenant, Guid batchId, int lane, int claimSize, CancellationToken ct)
    {
        if (await store.LookAsync(tenant, batchId, ct) is not { Running: true } left)
            return LaneTurn.Over;
        if (left.Stopping)
            return LaneTurn.Over with { Stopped = true };
        if (left.Slices == 0)
            await course.TryEndAsync(tenant, batchId, ct);
        return lane < left.Slices ? Later(claimSize, left.Wait > TimeSpan.Zero ? left.Wait : NotAdmitted) : LaneTurn.Over;
    }

    private static LaneTurn TurnEnded(int claimSize, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new LaneTurn(false, claimSize, null);
    }

    private LaneTurn Later(int claimSize, TimeSpan wait) => new(
        false,
        claimSize,
        time.GetUtcNow().UtcDateTime + TimeSpan.FromMilliseconds(50) + TimeSpan.FromTicks(Math.Clamp(wait.Ticks, 0, LongestWait.Ticks)));

    [LoggerMessage(1, LogLevel.Warning, "Batch {BatchId}: the lease of items {First} to {Last} was lost; what came of them is dropped")]
    private static partial void LogLeaseLost(ILogger logger, Guid batchId, int first, int last);
}

/// <summary>How a lane's turn ended.</summary>
/// <param name="Ended">There is nothing left for this lane.</param>
/// <param name="ClaimSize">For its next turn.</param>
/// <param name="LookAgainAt">Null: at once.</param>
public sealed record LaneTurn(bool Ended, int ClaimSize, DateTime? LookAgainAt)
{
    internal static LaneTurn Over { get; } = new(true, 1, null);

    /// <summary>The batch is to end: nothing more of it is started.</summary>
    public bool Stopped { get; init; }
}
