using ViralEngine.Core.Storage;

namespace ViralEngine.Testing.Lists;

/// <summary>What one call of a list read, by PostgreSQL's own counters.</summary>
/// <param name="Found">Rows that the list gave.</param>
/// <param name="Sequential">Rows that were read in scans of whole tables.</param>
/// <param name="Fetched">Rows that were read, by index or not.</param>
/// <param name="Blocks">Blocks of tables and indexes that were looked at, in memory or not.</param>
public sealed record ListReading(int Found, long Sequential, long Fetched, long Blocks)
{
    public static async Task<ListReading> OfAsync(ListCase list, Db db, TenantId tenant, DateTime now)
    {
        // What the session has read before would be counted too, until it is flushed.
        await db.QueryOneAsync(DbScope.AllTenants, "SELECT pg_stat_force_next_flush()", [], _ => true, default);
        await db.BeginAsync(default);
        var found = await list.CallAsync(db, tenant, now);
        var read = await db.QueryOneAsync(
            tenant,
            """
            SELECT COALESCE(sum(pg_stat_get_xact_tuples_returned(oid)) FILTER (WHERE relkind = 'r'), 0)::bigint,
                   COALESCE(sum(pg_stat_get_xact_tuples_fetched(oid)) FILTER (WHERE relkind = 'r'), 0)::bigint,
                   COALESCE(sum(pg_stat_get_xact_blocks_fetched(oid)), 0)::bigint
            FROM pg_class
            WHERE relnamespace = 'viral'::regnamespace AND relkind IN ('r', 'i')
            """,
            [],
            row => new ListReading(found, row.GetInt64(0), row.GetInt64(0) + row.GetInt64(1), row.GetInt64(2)),
            default);
        await db.RollbackAsync();
        return read!;
    }
}
