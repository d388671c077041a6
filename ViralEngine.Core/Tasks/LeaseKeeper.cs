using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Renews the leases of all tasks this process runs, in one statement, which also returns those that were cancelled or
/// lost their lease. Does nothing without leases.
/// </summary>
public sealed partial class LeaseKeeper
{
    private readonly NpgsqlDataSource dataSource;
    private readonly TaskLeaseOptions options;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<(Guid Tenant, Guid Task, int Attempt), HeldLease> held = new();
    private readonly UpkeepLoop upkeep;
    private readonly TimeSpan renewEvery;
    private long lastRenewal;

    public LeaseKeeper(
        NpgsqlDataSource dataSource, TaskLeaseOptions options, TimeProvider time, ILogger<LeaseKeeper> logger)
    {
        (this.dataSource, this.options, this.time) = (dataSource, options, time);
        renewEvery = options.Lease / 5;
        lastRenewal = time.GetTimestamp();
        // Every half second, so that a cancellation arrives within one.
        var every = TimeSpan.FromMilliseconds(Math.Min(500, renewEvery.TotalMilliseconds));
        upkeep = new UpkeepLoop(every, () => held.IsEmpty, LookAsync, time, e => LogFailed(logger, e));
    }

    /// <summary>
    /// Keeps the lease until disposal; <see cref="HeldLease.Ended"/> is cancelled when the work must stop.
    /// </summary>
    /// <param name="since">When the claim was sent.</param>
    internal HeldLease Hold(TenantId tenant, Guid taskId, int attempt, long since, CancellationToken stopping)
    {
        var lease = new HeldLease(
            this, (tenant.Value, taskId, attempt), new HeldSince(options.Lease, time, since), stopping);
        held[lease.Key] = lease;
        upkeep.Start();
        return lease;
    }

    internal void Drop(HeldLease lease) => held.TryRemove(lease.Key, out _);

    /// <summary>Renews when a fifth of the lease has passed.</summary>
    private Task LookAsync()
    {
        var renew = time.GetElapsedTime(lastRenewal) >= renewEvery;
        if (renew)
            lastRenewal = time.GetTimestamp();
        return LookAsync(renew);
    }

    private async Task LookAsync(bool renew)
    {
        var leases = held.Values.ToArray();
        var sent = time.GetTimestamp();
        var alive = await LookAsync(
            [.. leases.Select(lease => lease.Key)], renew ? [.. leases.Select(lease => lease.WaitingFor)] : null);
        foreach (var (key, _) in alive.Where(each => each.Value))
        {
            if (held.TryGetValue(key, out var lease))
                await lease.EndAsync(LeaseEnd.Cancelled);
        }

        foreach (var lease in leases)
        {
            if (!alive.ContainsKey(lease.Key))
                await lease.EndAsync(LeaseEnd.Lost);
            else if (renew)
                lease.Since.Renewed(sent);
        }
    }

    /// <summary>The tasks that are still this process's, and whether each was cancelled.</summary>
    /// <param name="waiting">What each waits for, to renew the leases too; null only to look.</param>
    private async Task<Dictionary<(Guid Tenant, Guid Task, int Attempt), bool>> LookAsync(
        IReadOnlyList<(Guid Tenant, Guid Task, int Attempt)> tasks, string?[]? waiting)
    {
        object?[] keys =
        [
            tasks.Select(task => task.Tenant).ToArray(),
            tasks.Select(task => task.Task).ToArray(),
            tasks.Select(task => task.Attempt).ToArray(),
        ];
        await using var db = new Db(dataSource);
        var rows = await db.QueryAsync(
            DbScope.AllTenants,
            waiting is not null
                ? """
                  UPDATE viral.tasks AS task
                  SET lease_until = now() + $4, waiting_for = held.waiting_for
                  FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $5::text[]) AS held (tenant_id, id, attempt,
                      waiting_for)
                  WHERE task.tenant_id = held.tenant_id AND task.id = held.id AND task.attempt = held.attempt
                    AND task.status = 'in_progress'
                  RETURNING task.tenant_id, task.id, task.attempt, task.cancel_requested_at IS NOT NULL
                  """
                : """
                  SELECT task.tenant_id, task.id, task.attempt, task.cancel_requested_at IS NOT NULL
                  FROM viral.tasks AS task
                  JOIN unnest($1::uuid[], $2::uuid[], $3::integer[]) AS held (tenant_id, id, attempt)
                    ON task.tenant_id = held.tenant_id AND task.id = held.id AND task.attempt = held.attempt
                  WHERE task.status = 'in_progress'
                  """,
            waiting is not null ? [.. keys, options.Lease, waiting] : keys,
            row => (Key: (row.GetGuid(0), row.GetGuid(1), row.GetInt32(2)), Cancelled: row.GetBoolean(3)),
            CancellationToken.None);
        return rows.ToDictionary(row => row.Key, row => row.Cancelled);
    }

    [LoggerMessage(1, LogLevel.Warning, "Leases of tasks could not be renewed; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

public enum LeaseEnd
{
    None,
    Cancelled,
    Lost,
}

/// <summary>A lease that is being renewed.</summary>
public sealed class HeldLease : IDisposable
{
    private readonly LeaseKeeper keeper;
    private readonly CancellationTokenSource ended;

    internal HeldLease(
        LeaseKeeper keeper, (Guid Tenant, Guid Task, int Attempt) key, HeldSince since, CancellationToken stopping)
    {
        this.keeper = keeper;
        (Key, Since) = (key, since);
        ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    }

    internal (Guid Tenant, Guid Task, int Attempt) Key { get; }

    internal HeldSince Since { get; }

    /// <summary>Why <see cref="Ended"/> was cancelled; none if the process is stopping.</summary>
    public LeaseEnd End { get; private set; }

    public CancellationToken Ended => ended.Token;

    /// <summary>What holds the call back, for the API; null if it is running.</summary>
    public string? WaitingFor { get; set; }

    public void Dispose()
    {
        keeper.Drop(this);
        ended.Dispose();
    }

    internal async Task EndAsync(LeaseEnd end)
    {
        if (End != LeaseEnd.None)
            return;
        End = end;
        await ended.TryCancelAsync();
    }
}
