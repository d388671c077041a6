using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Runs one lane of a batch for a turn: claims items into its places, tops them up as they end, and settles in groups.
/// Idempotent.
/// </summary>
public sealed partial class BatchLaneRunner(
    BatchLaneStore store,
    BatchCourse course,
    SliceRunner slices,
    BatchLaneKeeper keeper,
    CallSlots slots,
    TenantTurns turns,
    AnswerMemory memory,
    LapsedLook lapsed,
    IOptions<LanesOptions> options,
    TimeProvider time,
    ILogger<BatchLaneRunner> logger)
{
    private const long MaxBytesRead = 4 * 1024 * 1024;

    /// <summary>The maximum number of items one statement settles.</summary>
    private const int MaxSettled = 1000;

    private const long MaxBytesSettled = 4 * 1024 * 1024;

    /// <summary>How long finished slow calls are gathered before one statement settles them.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    /// <summary>How long a lane without free places waits before it asks again.</summary>
    private static readonly TimeSpan NoPlace = TimeSpan.FromSeconds(1);

    /// <summary>How long a lane that found nothing to claim waits before it asks again.</summary>
    private static readonly TimeSpan NothingFree = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<EndedSlice> ended = new();
    private readonly Bell bell = new();
    private int running;
    private long pausedAt;
    private TimeSpan pause;

    /// <param name="lane">The lane's number, from 0: selects its counters and places.</param>
    /// <param name="places">The number of items the lane runs concurrently.</param>
    /// <param name="claimSize">The number of items its last turn claimed for each place.</param>
    /// <exception cref="OperationCanceledException">The process is stopping; unsettled ranges were
    /// released.</exception>
    public async Task<LaneTurn> RunAsync(
        TenantId tenant, Guid batchId, int lane, int places, int claimSize, CancellationToken ct)
    {
        if (await store.FindPlanAsync(tenant, batchId, ct) is not { } plan)
            return LaneTurn.Over;
        if (plan.Stopping)
            return LaneTurn.Over with { Stopped = true };

        using var held = keeper.Hold(tenant, batchId, ct);
        try
        {
            return await RunAsync(tenant, plan, held, lane, places, claimSize, ct);
        }
        finally
        {
            // Also after a failed step: running calls keep their places until they end.
            while (Volatile.Read(ref running) > 0)
                await bell.WaitAsync(NothingFree, CancellationToken.None);
            while (ended.TryDequeue(out var slice))
                slice.Run.Settled.Dispose();
        }
    }

    private async Task<LaneTurn> RunAsync(
        TenantId tenant, LanePlan plan, HeldLane held, int lane, int places, int claimSize, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var settled = TakeEnded(held, ref claimSize);
            var goesOn = !held.Ended.IsCancellationRequested
                && time.GetElapsedTime(started).TotalSeconds < options.Value.TurnSeconds;
            var free = goesOn && !IsPaused(held) ? slots.Take(tenant, places - Volatile.Read(ref running)) : 0;
            if (settled.Count == 0 && free == 0)
            {
                if (Volatile.Read(ref running) > 0)
                    await bell.WaitAsync(NothingFree, CancellationToken.None);
                else if (!goesOn)
                    return TurnEnded(claimSize, ct);
                else
                    return Later(claimSize, IsPaused(held) ? pause - time.GetElapsedTime(pausedAt) : NoPlace);
                continue;
            }

            var taken = await StepAsync(
                tenant, plan, held, lane, settled, free > 0 ? ClaimOf(free, claimSize, places) : null, ct);
            if (taken > 0 || free == 0 || !ended.IsEmpty)
                continue;
            if (Volatile.Read(ref running) == 0)
                return await RestAsync(tenant, plan.BatchId, lane, claimSize, ct);
            // Nothing is free: wait until a call here ends or a range is released elsewhere.
            await bell.WaitAsync(NothingFree, CancellationToken.None);
        }
    }

    private SliceClaim ClaimOf(int free, int size, int places) =>
        new(Guid.NewGuid(), free, size, places, keeper.Lease, FreesLapsed: lapsed.IsDue());

    /// <summary>Finished ranges, as many as one statement settles.</summary>
    private List<EndedSlice> TakeEnded(HeldLane lane, ref int claimSize)
    {
        var settled = new List<EndedSlice>();
        var (items, bytes, waiting, longest) = (0, 0L, 0, (AgentOutcome.Held?)null);
        while (items < MaxSettled && bytes < MaxBytesSettled && ended.TryDequeue(out var slice))
        {
            var run = slice.Run;
            settled.Add(slice);
            items += Math.Max(1, run.Ran);
            bytes += run.Bytes;
            claimSize = run.NextClaimSize(claimSize);
            if (run.Held is not { } wait)
                continue;
            waiting++;
            longest = longest is null || wait.Wait > longest.Wait ? wait : longest;
        }

        if (longest is not null && waiting * 2 >= settled.Count)
        {
            // A claim now would only be released again.
            (pausedAt, pause, lane.PausedFor) = (time.GetTimestamp(), longest.Wait, longest.Reason);
        }

        return settled;
    }

    private bool IsPaused(HeldLane lane)
    {
        if (lane.PausedFor is null)
            return false;
        if (time.GetElapsedTime(pausedAt) < pause)
            return true;
        lane.PausedFor = null;
        return false;
    }

    /// <summary>
    /// Settles, claims and starts. Not cancelled with the process, because results must be kept and each step is short.
    /// </summary>
    /// <returns>The number of ranges started.</returns>
    private async Task<int> StepAsync(
        TenantId tenant, LanePlan plan, HeldLane held, int lane, List<EndedSlice> settled, SliceClaim? claim,
        CancellationToken stopping)
    {
        var unused = claim?.Slices ?? 0;
        var since = time.GetTimestamp();
        try
        {
            var claimed = await ClaimAsync(
                tenant, plan.BatchId, lane, [.. settled.Select(slice => slice.Run.Settled)], claim, stopping);
            foreach (var slice in settled)
                held.LetGo(slice.Claim);
            if (claimed.Count == 0)
                return 0;
            var agents = await StoredAgain.RunAsync(
                () => slices.LoadAgentsAsync(tenant, plan, claimed), time, logger, stopping);
            foreach (var slice in claimed)
            {
                unused--;
                Interlocked.Increment(ref running);
                var kept = held.Hold(slice.Lease, agents, since);
                _ = Task.Run(() => RunAsync(tenant, plan, slice, held, kept), CancellationToken.None);
            }

            return claimed.Count;
        }
        finally
        {
            settled.ForEach(slice => slice.Run.Settled.Dispose());
            if (unused > 0)
                slots.Return(tenant, unused);
        }
    }

    private async Task<List<ClaimedSlice>> ClaimAsync(
        TenantId tenant, Guid batchId, int lane, List<SettledSlice> settled, SliceClaim? claim,
        CancellationToken stopping)
    {
        var longest = settled.Count == 0 ? 0 : settled.Max(slice => slice.MaxAnswer);
        using var whole = await memory.HoldWholeAsync(longest, CancellationToken.None);
        using var turn = await turns.TakeAsync(tenant);
        var step = await StoredAgain.RunAsync(
            () => store.SettleAndClaimAsync(tenant, batchId, lane, settled, claim, CancellationToken.None), time,
            logger, stopping);
        foreach (var lost in step.Lost)
            LogLeaseLost(logger, batchId, lost.Lease.First, lost.Lease.Last);
        return step.Taken.Count == 0
            ? []
            : await StoredAgain.RunAsync(
                () => store.ReadAsync(tenant, batchId, step.Taken, MaxBytesRead, CancellationToken.None), time, logger,
                stopping);
    }

    private async Task RunAsync(TenantId tenant, LanePlan plan, ClaimedSlice slice, HeldLane lane, HeldClaim claim)
    {
        try
        {
            var run = await slices.RunAsync(tenant, plan, slice, claim, claim.Ended);
            // Gathering slow calls costs them nothing and saves statements.
            if (run.Ran > 0 && run.Took / run.Ran > Gathering * 10)
                await Task.Delay(Gathering, time, CancellationToken.None);
            // The lease is renewed until it is settled, so that nobody repeats the call while the database is slow.
            ended.Enqueue(new EndedSlice(run, claim));
        }
        catch (Exception e)
        {
            // Its lease expires and others take it over; the lane continues with the rest.
            lane.LetGo(claim);
            if (e is not OperationCanceledException)
                LogFailed(logger, e, plan.BatchId, slice.Lease.First, slice.Lease.Last);
        }
        finally
        {
            slots.Return(tenant);
            Interlocked.Decrement(ref running);
            bell.Ring();
        }
    }

    /// <summary>
    /// Nothing is free. As many lanes stay as ranges are held or wait for a retry; the others end. The first to see
    /// that no range is left announces the batch's end.
    /// </summary>
    private async Task<LaneTurn> RestAsync(TenantId tenant, Guid batchId, int lane, int claimSize, CancellationToken ct)
    {
        if (await store.LookAsync(tenant, batchId, ct) is not { Running: true } left)
            return LaneTurn.Over;
        if (left.Stopping)
            return LaneTurn.Over with { Stopped = true };
        if (left.Slices == 0)
            await course.TryEndAsync(tenant, batchId, ct);
        return lane < left.Slices
            ? Later(claimSize, left.Wait > TimeSpan.Zero ? left.Wait : NothingFree)
            : LaneTurn.Over;
    }

    private static LaneTurn TurnEnded(int claimSize, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new LaneTurn(false, claimSize, null);
    }

    private static LaneTurn Later(int claimSize, TimeSpan wait) => new(
        false, claimSize, TimeSpan.FromMilliseconds(50) + TimeSpan.FromTicks(Math.Clamp(wait.Ticks, 0, MaxWait.Ticks)));

    [LoggerMessage(
        1, LogLevel.Warning,
        "Batch {BatchId}: the lease of items {First} to {Last} was lost; their results are dropped")]
    private static partial void LogLeaseLost(ILogger logger, Guid batchId, int first, int last);

    [LoggerMessage(
        2, LogLevel.Error, "Batch {BatchId}: items {First} to {Last} failed with an unexpected error; they run again")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid batchId, int first, int last);
}

/// <summary>A range that has run and is not settled yet.</summary>
internal sealed record EndedSlice(SliceRun Run, HeldClaim Claim);

/// <summary>How a lane's turn ended.</summary>
/// <param name="Ended">No work is left for this lane.</param>
/// <param name="ClaimSize">The claim size for the next turn.</param>
/// <param name="Wait">The wait before the next turn; null for none.</param>
public sealed record LaneTurn(bool Ended, int ClaimSize, TimeSpan? Wait)
{
    internal static LaneTurn Over { get; } = new(true, 1, null);

    /// <summary>The batch must end: no more items start.</summary>
    public bool Stopped { get; init; }
}
