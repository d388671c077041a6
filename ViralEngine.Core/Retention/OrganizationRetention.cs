using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Retention;

/// <summary>
/// Erases the data of deleted organizations, a portion at a time. Their audit log has its own retention.
/// </summary>
public sealed class OrganizationRetention(Db db)
{
    private const int MaxRows = 5_000;

    /// <summary>
    /// Erases part of the organizations deleted before <paramref name="before"/>. False if there is nothing left for
    /// now.
    /// </summary>
    public async Task<bool> SweepSomeAsync(DateTime before, CancellationToken ct)
    {
        var organization = await db.QueryOneAsync(
            DbScope.AllTenants,
            "SELECT id FROM viral.organizations WHERE deleted_at < $1 ORDER BY deleted_at LIMIT 1",
            [before],
            row => (Guid?)row.GetGuid(0),
            ct);
        if (organization is not { } id)
            return false;

        // Batches are deleted slice by slice.
        var batches = await db.QueryOneAsync(
            DbScope.AllTenants,
            """
            WITH expired AS (
                UPDATE viral.batches
                SET expired_at = now()
                WHERE tenant_id = $1 AND expired_at IS NULL
            )
            SELECT EXISTS (SELECT FROM viral.batches WHERE tenant_id = $1)
            """,
            [id],
            row => row.GetBoolean(0),
            ct);
        var erased = await db.QueryOneAsync(
            DbScope.AllTenants, "SELECT viral.erase_tenant($1, $2)", [id, MaxRows], row => row.GetInt64(0), ct);
        if (erased > 0)
            return true;
        if (batches)
            return false;
        await db.ExecuteAsync(DbScope.AllTenants, "DELETE FROM viral.organizations WHERE id = $1", [id], ct);
        return true;
    }
}
