using System.Diagnostics;
using System.Runtime.CompilerServices;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// When this process last found the database away. An outage longer than a lease makes every lease lapse, those of the
/// living too: they renew first, and only then is what lapsed taken for a dead worker's.
/// </summary>
public sealed class Outage
{
    /// <summary>How long the living have to renew: as long as a lease.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly ConditionalWeakTable<NpgsqlDataSource, Outage> All = [];
    private long seen;

    /// <summary>What was seen by whoever used this pool.</summary>
    public static Outage Of(NpgsqlDataSource dataSource) => All.GetOrCreateValue(dataSource);

    /// <summary>Whether somebody who is alive may not have renewed yet.</summary>
    internal bool IsFresh => Interlocked.Read(ref seen) is not 0 and var last && Stopwatch.GetElapsedTime(last) < Grace;

    /// <summary>Waits for what was asked of the database, and notes it if the database is away.</summary>
    internal async Task<T> WatchAsync<T>(Task<T> asked)
    {
        try
        {
            return await asked;
        }
        catch (NpgsqlException e) when (DatabaseAway.EndsConnections(e))
        {
            Interlocked.Exchange(ref seen, Stopwatch.GetTimestamp());
            throw;
        }
    }
}
