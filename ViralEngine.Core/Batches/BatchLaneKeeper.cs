using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Looks after the lanes that run in this process, all of them by a few statements twice a second: renews leases, tells lanes
/// that their batch was stopped or their lease lost, and writes the batches' progress events. Idle processes do nothing.
/// </summary>
public sealed partial class BatchLaneKeeper(
    NpgsqlDataSource dataSource,
    Signals signals,
    IOptions<BatchOptions> options,
    TimeProvider time,
    ILogger<BatchLaneKeeper> logger)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private readonly ConcurrentDictionary<HeldLane, byte> lanes = new();
    private int looping;

    public TimeSpan Lease { get; } = TimeSpan.FromSeconds(options.Value.LeaseSeconds);

    /// <summary>Looks after a lane until disposal.</summary>
    internal HeldLane Hold(TenantId tenant, Guid batchId, CancellationToken stopping)
    {
        var lane = new HeldLane(this, tenant, batchId, stopping);
        lanes[lane] = 0;
        if (Interlocked.CompareExchange(ref looping, 1, 0) == 0)
            _ = LoopAsync();
        return lane;
    }

    internal void Drop(HeldLane lane) => lanes.TryRemove(lane, out _);

    private async Task LoopAsync()
    {
        while (true)
        {
            await Task.Delay(LookEvery, time);
            if (lanes.IsEmpty)
            {
                Volatile.Write(ref looping, 0);
                // One that came between the look and the write would have seen a loop that is about to end.
                if (lanes.IsEmpty || Interlocked.CompareExchange(ref looping, 1, 0) != 0)
                    return;
            }

            try
            {
                await using var db = new Db(dataSource);
                var store = new BatchKeepingStore(db);
                var held = lanes.Keys.ToArray();
                await StopAsync(store, held);
                await RenewAsync(store, held);
                foreach (var (tenant, batchId) in await store.ReportProgressAsync(BatchesOf(held), CancellationToken.None))
                    signals.Publish(tenant, batchId);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
            {
                // The database is away for a moment: leases that lapse meanwhile are fenced by their holder.
                LogFailed(logger, e);
            }
        }
    }

    private static async Task StopAsync(BatchKeepingStore store, HeldLane[] held)
    {
        var open = await store.FindOpenAsync(BatchesOf(held), CancellationToken.None);
        foreach (var lane in held.Where(lane => !open.Contains(lane.BatchId)))
            await lane.EndAsync();
    }

    /// <summary>Only what is held for a while: quick slices come and go between two looks.</summary>
    private async Task RenewAsync(BatchKeepingStore store, HeldLane[] held)
    {
        var due = held
            .Select(lane => (Lane: lane, lane.Claim))
            .Where(one => one.Claim is { } claim && time.GetElapsedTime(claim.Renewed) >= Lease / 5)
            .ToArray();
        if (due.Length == 0)
            return;
        var now = time.GetTimestamp();
        var renewed = await store.RenewAsync([.. due.Select(one => one.Claim!.Lease)], Lease, CancellationToken.None);
        foreach (var (lane, claim) in due)
        {
            if (renewed.Contains(claim!.Lease.Holder))
                claim.Renewed = now;
            else if (lane.Claim == claim)
                await lane.EndAsync();
        }
    }

    private static (TenantId Tenant, Guid BatchId)[] BatchesOf(HeldLane[] held) =>
        [.. held.Select(lane => (lane.Tenant, lane.BatchId)).Distinct()];

    [LoggerMessage(1, LogLevel.Warning, "Batch lanes could not be looked after; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

/// <summary>A lane that runs in this process.</summary>
internal sealed class HeldLane : IDisposable
{
    private readonly BatchLaneKeeper keeper;
    private readonly CancellationTokenSource ended;

    internal HeldLane(BatchLaneKeeper keeper, TenantId tenant, Guid batchId, CancellationToken stopping)
    {
        this.keeper = keeper;
        Tenant = tenant;
        BatchId = batchId;
        ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        // Kept, as the source may be disposed when the token is asked for.
        Ended = ended.Token;
    }

    public TenantId Tenant { get; }

    public Guid BatchId { get; }

    /// <summary>What the lane holds while its items run; null while it settles and claims.</summary>
    public HeldClaim? Claim { get; set; }

    /// <summary>Cancelled when what runs is to end: the batch was stopped, the lease lost, or the process is stopping.</summary>
    public CancellationToken Ended { get; }

    public void Dispose()
    {
        keeper.Drop(this);
        ended.Dispose();
    }

    internal async Task EndAsync()
    {
        try
        {
            await ended.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // Its turn ended at this very moment.
        }
    }
}

internal sealed record HeldClaim(SliceLease Lease)
{
    public long Renewed { get; set; }
}
