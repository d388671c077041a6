using Microsoft.Extensions.Logging;
using Npgsql;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Events;

/// <summary>
/// Finds changes that no signal reported, for all streams of this process: one statement checks all subjects, less
/// often the longer nothing happens. Without Redis, it drives the streams; with Redis, it makes up for lost signals.
/// </summary>
public sealed partial class ChangePoller(
    NpgsqlDataSource dataSource, RedisConnection redis, TimeProvider time, ILogger<ChangePoller> logger)
{
    private const int MaxAtOnce = 2000;
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly HashSet<Watch> watches = [];
    private bool runs;

    /// <summary>
    /// Calls <paramref name="changed"/> whenever the subject has a new event. Dispose the result to stop.
    /// </summary>
    internal IDisposable WatchFor(TenantId tenant, Guid subjectId, Action changed)
    {
        var watch = new Watch(this, tenant, subjectId, changed);
        lock (gate)
        {
            watches.Add(watch);
            if (runs)
                return watch;
            runs = true;
        }

        _ = Task.Run(RunAsync);
        return watch;
    }

    private async Task RunAsync()
    {
        var pause = Shortest;
        while (true)
        {
            await Task.Delay(redis.Database is null ? pause : MaxPause, time);
            Watch[] asked;
            lock (gate)
            {
                runs = watches.Count > 0;
                if (!runs)
                    return;
                asked = [.. watches];
            }

            var started = time.GetTimestamp();
            var changed = await LookAsync(asked);
            // Polling takes at most a tenth of the time, however slow the database is.
            var least = time.GetElapsedTime(started) * 10;
            pause = changed ? Shortest : Shorter(pause * 1.5, MaxPause);
            pause = least > pause ? least : pause;
        }
    }

    private async Task<bool> LookAsync(Watch[] asked)
    {
        var changed = false;
        foreach (var some in asked.Chunk(MaxAtOnce))
        {
            try
            {
                var events = await ReadAsync(some);
                foreach (var watch in some)
                    changed |= watch.Saw(events.GetValueOrDefault(watch.SubjectId, -1));
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                LogAway(logger, e.Message);
                return false;
            }
        }

        return changed;
    }

    private async Task<Dictionary<Guid, int>> ReadAsync(Watch[] some)
    {
        await using var db = new Db(dataSource);
        var rows = await db.QueryAsync(
            DbScope.AllTenants,
            """
            WITH asked AS (
                SELECT DISTINCT tenant_id, id
                FROM unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, id)
            )
            SELECT id, last_event
            FROM viral.tasks
            JOIN asked USING (tenant_id, id)
            UNION ALL
            SELECT id, last_event
            FROM viral.batches
            JOIN asked USING (tenant_id, id)
            UNION ALL
            SELECT id, last_event
            FROM viral.workflows
            JOIN asked USING (tenant_id, id)
            """,
            [some.Select(watch => watch.Tenant.Value).ToArray(), some.Select(watch => watch.SubjectId).ToArray()],
            row => (Id: row.GetGuid(0), LastEvent: row.GetInt32(1)),
            CancellationToken.None);
        return rows.ToDictionary(row => row.Id, row => row.LastEvent);
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private void Remove(Watch watch)
    {
        lock (gate)
            watches.Remove(watch);
    }

    [LoggerMessage(1, LogLevel.Warning, "Streams could not poll for changes; trying again: {Reason}")]
    private static partial void LogAway(ILogger logger, string reason);

    private sealed class Watch(ChangePoller owner, TenantId tenant, Guid subjectId, Action changed) : IDisposable
    {
        // The first poll always reports a change, because something may have happened before it.
        private int? seen;

        public TenantId Tenant { get; } = tenant;

        public Guid SubjectId { get; } = subjectId;

        public bool Saw(int lastEvent)
        {
            if (seen == lastEvent)
                return false;
            seen = lastEvent;
            changed();
            return true;
        }

        public void Dispose() => owner.Remove(this);
    }
}
