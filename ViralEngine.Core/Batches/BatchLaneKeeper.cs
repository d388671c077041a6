using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Events;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Maintains all batch lanes of this process with a few statements twice a second: renews leases, notifies lanes whose
/// batch was stopped or lease was lost, and writes progress events. Does nothing without lanes.
/// </summary>
public sealed partial class BatchLaneKeeper
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private readonly NpgsqlDataSource dataSource;
    private readonly Signals signals;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<HeldLane, byte> lanes = new();
    private readonly Dictionary<(TenantId Tenant, Guid BatchId), string?> told = [];
    private readonly UpkeepLoop upkeep;

    public BatchLaneKeeper(
        NpgsqlDataSource dataSource, Signals signals, IOptions<BatchOptions> options, TimeProvider time,
        ILogger<BatchLaneKeeper> logger)
    {
        (this.dataSource, this.signals, this.time) = (dataSource, signals, time);
        Lease = TimeSpan.FromSeconds(options.Value.LeaseSeconds);
        upkeep = new UpkeepLoop(LookEvery, () => lanes.IsEmpty, LookAsync, time, e => LogFailed(logger, e));
    }

    public TimeSpan Lease { get; }

    /// <summary>Maintains a lane until disposal.</summary>
    internal HeldLane Hold(TenantId tenant, Guid batchId, CancellationToken stopping)
    {
        var lane = new HeldLane(this, tenant, batchId, stopping);
        lanes[lane] = 0;
        upkeep.Start();
        return lane;
    }

    internal HeldSince Since(long sent) => new(Lease, time, sent);

    internal void Drop(HeldLane lane) => lanes.TryRemove(lane, out _);

    private async Task LookAsync()
    {
        await using var db = new Db(dataSource);
        var store = new BatchKeepingStore(db);
        var held = lanes.Keys.ToArray();
        await StopAsync(store, held);
        await RenewAsync(store, held);
        await ReportWaitsAsync(store, held);
        foreach (var (tenant, batchId) in await store.ReportProgressAsync(BatchesOf(held), CancellationToken.None))
            signals.Publish(tenant, batchId);
    }

    private static async Task StopAsync(BatchKeepingStore store, HeldLane[] held)
    {
        var open = await store.FindOpenAsync(BatchesOf(held), CancellationToken.None);
        foreach (var lane in held.Where(lane => !open.Contains(lane.BatchId)))
            await lane.EndAsync();
    }

    /// <summary>Renews only leases held for a while: quick slices end between two rounds.</summary>
    private async Task RenewAsync(BatchKeepingStore store, HeldLane[] held)
    {
        var due = held
            .SelectMany(lane => lane.Claims.Select(claim => (Lane: lane, Claim: claim)))
            .Where(one => one.Claim.Since.Age >= Lease / 3)
            .ToArray();
        if (due.Length == 0)
            return;
        var sent = time.GetTimestamp();
        var renewed = await store.RenewAsync([.. due.Select(one => one.Claim.Lease)], Lease, CancellationToken.None);
        foreach (var (lane, claim) in due)
        {
            if (renewed.Contains(claim.Lease.Id))
                claim.Since.Renewed(sent);
            else if (lane.Holds(claim))
                await claim.EndAsync();
        }
    }

    /// <summary>
    /// Reports what holds a batch back when it changes: a reason that half of its ranges here wait for.
    /// </summary>
    private async Task ReportWaitsAsync(BatchKeepingStore store, HeldLane[] held)
    {
        var now = held
            .GroupBy(lane => (lane.Tenant, lane.BatchId))
            .ToDictionary(lanes => lanes.Key, lanes => ReasonOf([.. lanes])?.ToText());
        var changed = now.Where(batch => told.GetValueOrDefault(batch.Key) != batch.Value).ToArray();
        foreach (var gone in told.Keys.Where(batch => !now.ContainsKey(batch)).ToList())
            told.Remove(gone);
        if (changed.Length == 0)
            return;
        await store.TellWaitsAsync(
            [.. changed.Select(batch => batch.Key)], [.. changed.Select(batch => batch.Value)], CancellationToken.None);
        foreach (var (batch, reason) in changed)
            told[batch] = reason;
    }

    private static WaitReason? ReasonOf(HeldLane[] lanes)
    {
        if (lanes.Select(lane => lane.PausedFor).FirstOrDefault(reason => reason is not null) is { } paused)
            return paused;
        var claims = lanes.SelectMany(lane => lane.Claims).ToArray();
        var most = claims.Where(claim => claim.WaitingFor is not null).GroupBy(claim => claim.WaitingFor)
            .MaxBy(group => group.Count());
        return most is not null && most.Count() * 2 >= claims.Length ? most.Key : null;
    }

    private static (TenantId Tenant, Guid BatchId)[] BatchesOf(HeldLane[] held) =>
        [.. held.Select(lane => (lane.Tenant, lane.BatchId)).Distinct()];

    [LoggerMessage(1, LogLevel.Warning, "Leases of batch lanes could not be renewed; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

/// <summary>A lane that runs in this process.</summary>
internal sealed class HeldLane : IDisposable
{
    private readonly BatchLaneKeeper keeper;
    private readonly CancellationTokenSource ended;
    private readonly ConcurrentDictionary<HeldClaim, byte> claims = new();

    internal HeldLane(BatchLaneKeeper keeper, TenantId tenant, Guid batchId, CancellationToken stopping)
    {
        this.keeper = keeper;
        Tenant = tenant;
        BatchId = batchId;
        ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        // Kept, because the source may already be disposed when the token is read.
        Ended = ended.Token;
    }

    public TenantId Tenant { get; }

    public Guid BatchId { get; }

    /// <summary>The ranges the lane holds, until they are settled.</summary>
    public ICollection<HeldClaim> Claims => claims.Keys;

    /// <summary>Why the lane currently starts nothing; null if it does.</summary>
    public WaitReason? PausedFor { get; set; }

    /// <summary>
    /// Cancelled when running items must end: the batch was stopped, the lease lost, or the process is stopping.
    /// </summary>
    public CancellationToken Ended { get; }

    public void Dispose()
    {
        keeper.Drop(this);
        ended.Dispose();
    }

    /// <param name="since">When the claim was sent.</param>
    public HeldClaim Hold(SliceLease lease, IReadOnlyDictionary<string, AgentChain> agents, long since)
    {
        var claim = new HeldClaim(lease, agents, keeper.Since(since), Ended);
        claims[claim] = 0;
        return claim;
    }

    public bool Holds(HeldClaim claim) => claims.ContainsKey(claim);

    public void LetGo(HeldClaim claim)
    {
        claims.TryRemove(claim, out _);
        claim.Dispose();
    }

    internal Task EndAsync() => ended.TryCancelAsync();
}

/// <summary>A range whose items are running in this process, or are waiting to be settled.</summary>
/// <param name="agents">The agents that run them.</param>
internal sealed class HeldClaim(
    SliceLease lease, IReadOnlyDictionary<string, AgentChain> agents, HeldSince since, CancellationToken laneEnded)
    : IDisposable
{
    private readonly CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(laneEnded);

    public SliceLease Lease { get; } = lease;

    public IReadOnlyDictionary<string, AgentChain> Agents { get; } = agents;

    /// <summary>Cancelled when the lane ends or the lease is lost.</summary>
    public CancellationToken Ended => ended.Token;

    public HeldSince Since { get; } = since;

    /// <summary>What holds its item back; null if it is running.</summary>
    public WaitReason? WaitingFor { get; set; }

    public void Dispose() => ended.Dispose();

    internal Task EndAsync() => ended.TryCancelAsync();
}
