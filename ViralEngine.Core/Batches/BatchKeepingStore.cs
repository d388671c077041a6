using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Maintenance of running batches in PostgreSQL: one statement for all batches that run in a process.
/// </summary>
internal sealed class BatchKeepingStore(Db db)
{
    /// <summary>The batches whose items may still be started.</summary>
    public async Task<HashSet<Guid>> FindOpenAsync((TenantId Tenant, Guid Id)[] batches, CancellationToken ct) =>
    [
        .. await db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT batch.id
            FROM viral.batches AS batch
            JOIN unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, id)
              ON batch.tenant_id = asked.tenant_id AND batch.id = asked.id
            WHERE batch.status = 'in_progress' AND batch.stopping IS NULL
            """,
            [Tenants(batches), Ids(batches)],
            row => row.GetGuid(0),
            ct),
    ];

    /// <returns>The ranges whose leases are still held.</returns>
    public async Task<HashSet<long>> RenewAsync(SliceLease[] leases, TimeSpan lease, CancellationToken ct) =>
    [
        .. await db.QueryAsync(
            DbScope.AllTenants,
            """
            -- What is locked, a lane settles at this moment.
            WITH mine AS (
                SELECT slice.id
                FROM viral.batch_slices AS slice
                JOIN unnest($1::bigint[], $2::uuid[]) AS held (id, holder) ON slice.id = held.id
                    AND slice.holder = held.holder
                WHERE slice.id = ANY ($1) AND slice.lease_until IS NOT NULL
                FOR UPDATE OF slice SKIP LOCKED
            ), renewed AS (
                UPDATE viral.batch_slices AS slice
                SET lease_until = now() + $3
                FROM mine
                WHERE slice.id = ANY ($1) AND slice.id = mine.id
                RETURNING slice.tenant_id, slice.batch_id, slice.id
            ), watched AS (
                UPDATE viral.batches AS batch
                SET check_at = now() + interval '30 seconds'
                FROM (SELECT DISTINCT tenant_id, batch_id FROM renewed) AS held
                WHERE batch.tenant_id = held.tenant_id AND batch.id = held.batch_id
                    AND batch.check_at < now() + interval '10 seconds'
            )
            SELECT id
            FROM renewed
            """,
            [leases.Select(held => held.Id).ToArray(), leases.Select(held => held.Holder).ToArray(), lease],
            row => row.GetInt64(0),
            ct),
    ];

    /// <summary>
    /// Writes an event for each batch that has moved since its last one: at most two a second, and fewer the longer it
    /// runs, so that the history of a day stays as short as that of an hour.
    /// </summary>
    /// <returns>The batches that got an event.</returns>
    public Task<List<(TenantId Tenant, Guid Id)>> ReportProgressAsync(
        (TenantId Tenant, Guid Id)[] batches, CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            $$"""
            WITH counts AS (
                SELECT lane.tenant_id, lane.batch_id, sum(lane.completed)::integer AS completed,
                       sum(lane.failed)::integer AS failed
                FROM viral.batch_lanes AS lane
                JOIN unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, id)
                  ON lane.tenant_id = asked.tenant_id AND lane.batch_id = asked.id
                GROUP BY lane.tenant_id, lane.batch_id
            ), moved AS (
                UPDATE viral.batches AS batch
                SET progress_at = now(), progress_settled = counts.completed + counts.failed, updated_at = now(),
                    check_at = now() + interval '30 seconds', last_event = batch.last_event + 1
                FROM counts
                WHERE batch.tenant_id = counts.tenant_id AND batch.id = counts.batch_id AND batch.status = 'in_progress'
                  AND batch.progress_settled <> counts.completed + counts.failed
                  AND batch.progress_at < now()
                      - GREATEST(interval '450 milliseconds', (now() - batch.started_at) / 1000)
                RETURNING batch.tenant_id, batch.id, batch.last_event, batch.total_items, counts.completed,
                    counts.failed
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.BatchProgress}}',
                       jsonb_build_object(
                           'status', 'in_progress', 'total', total_items, 'settled', completed + failed,
                           'completed', completed, 'failed', failed),
                       now()
                FROM moved
            )
            SELECT tenant_id, id
            FROM moved
            """,
            [Tenants(batches), Ids(batches)],
            row => (new TenantId(row.GetGuid(0)), row.GetGuid(1)),
            ct);

    /// <summary>Stores what holds batches back; null for nothing.</summary>
    public Task TellWaitsAsync((TenantId Tenant, Guid Id)[] batches, string?[] reasons, CancellationToken ct) =>
        db.ExecuteAsync(
            DbScope.AllTenants,
            """
            UPDATE viral.batches AS batch
            SET waiting_for = told.reason, updated_at = now()
            FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS told (tenant_id, id, reason)
            WHERE batch.tenant_id = told.tenant_id AND batch.id = told.id AND batch.status = 'in_progress'
              AND batch.waiting_for IS DISTINCT FROM told.reason
            """,
            [Tenants(batches), Ids(batches), reasons],
            ct);

    private static Guid[] Tenants((TenantId Tenant, Guid Id)[] batches) =>
        [.. batches.Select(batch => batch.Tenant.Value)];

    private static Guid[] Ids((TenantId Tenant, Guid Id)[] batches) => [.. batches.Select(batch => batch.Id)];
}
