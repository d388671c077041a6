using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>Finds abandoned batches.</summary>
public sealed class BatchSweeper(Db db)
{
    /// <summary>
    /// Takes up to <paramref name="limit"/> open batches whose time to be checked has passed, and sets their next check
    /// a minute later, so that healthy batches are checked rarely.
    /// </summary>
    public Task<List<UnattendedBatch>> TakeAsync(int limit, CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            """
            WITH late AS (
                SELECT tenant_id, id
                FROM viral.batches
                WHERE status IN ('pending', 'in_progress') AND check_at < now()
                ORDER BY check_at
                LIMIT $1
                FOR UPDATE SKIP LOCKED
            )
            UPDATE viral.batches AS batch
            SET check_at = now() + interval '1 minute'
            FROM late
            WHERE batch.tenant_id = late.tenant_id AND batch.id = late.id
            RETURNING batch.tenant_id, batch.id, batch.run
            """,
            [limit],
            row => new UnattendedBatch(new TenantId(row.GetGuid(0)), row.GetGuid(1), row.GetInt32(2)),
            ct);
}

public sealed record UnattendedBatch(TenantId Tenant, Guid Id, int Run);
