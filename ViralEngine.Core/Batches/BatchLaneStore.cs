using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>
/// A lane's side of batches in PostgreSQL: it settles the slice it has run and claims the next in one round trip and one commit, by
/// one statement each for hundreds of items. Leases run by the database's clock.
/// </summary>
public sealed class BatchLaneStore(Db db, TaskAdmission? admission = null)
{
    private readonly TaskAdmission admission = admission ?? TaskAdmission.Everything;

    /// <summary>What is left when there was nothing to claim.</summary>
    internal Task<Remainder?> LookAsync(TenantId tenant, Guid batchId, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            SELECT batch.status = 'in_progress', batch.stopping IS NOT NULL,
                   (SELECT count(*)::integer FROM viral.batch_slices WHERE tenant_id = $1 AND batch_id = $2),
                   (SELECT min(GREATEST(due_at, lease_until)) - now() FROM viral.batch_slices WHERE tenant_id = $1 AND batch_id = $2)
            FROM viral.batches AS batch
            WHERE batch.tenant_id = $1 AND batch.id = $2
            """,
            [tenant.Value, batchId],
            row => new Remainder(
                row.GetBoolean(0), row.GetBoolean(1), row.GetInt32(2), row.IsDBNull(3) ? TimeSpan.Zero : row.GetTimeSpan(3)),
            ct);

    /// <summary>How the batch is to be run; null where it is not being run.</summary>
    internal Task<LanePlan?> FindPlanAsync(TenantId tenant, Guid batchId, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            SELECT agent_id, failure_mode, stopping IS NOT NULL
            FROM viral.batches
            WHERE tenant_id = $1 AND id = $2 AND status = 'in_progress'
            """,
            [tenant.Value, batchId],
            row => new LanePlan(batchId, row.IsDBNull(0) ? null : row.GetString(0), FailureModes.Parse(row.GetString(1)), row.GetBoolean(2)),
            ct);

    /// <summary>
    /// Settles what a lane has run (if anything) and takes the front of the first free range (if asked to). What is settled under
    /// a lease that was lost changes nothing.
    /// </summary>
    internal async Task<LaneStep> SettleAndClaimAsync(
        TenantId tenant, Guid batchId, int lane, SettledSlice? settled, SliceClaim? claim, CancellationToken ct)
    {
        await using var batch = db.BatchByIndex(tenant);
        if (settled is not null)
            AddSettle(batch, tenant, batchId, lane, settled);
        if (claim is not null)
            AddClaim(batch, tenant, batchId, claim);
        await using var reader = await batch.ReadByIndexAsync(ct);

        var kept = true;
        if (settled is not null)
        {
            kept = await reader.ReadByHashAsync(ct) && reader.GetBoolean(0);
            await reader.PastByHashAsync(ct);
        }

        if (claim is not null && admission.IsLimited)
            await reader.NextResultAsync(ct);
        var taken = claim is not null && await reader.ReadAsync(ct)
            ? new SliceLease(reader.GetInt64(0), claim.Holder, reader.GetInt32(1), reader.GetInt32(2), reader.GetInt16(3))
            : null;
        return new LaneStep(kept, taken);
    }

    /// <summary>
    /// The items of a slice that are to be run, up to a size. A statement of its own after the claim: its snapshot is taken when
    /// the range is held, so it cannot show an item as pending that a former holder has just settled.
    /// </summary>
    /// <returns>The items, and the first number that was not read.</returns>
    internal async Task<(List<BatchItem> Items, int Next)> ReadAsync(
        TenantId tenant, Guid batchId, SliceLease lease, long mostBytes, CancellationToken ct)
    {
        await using var batch = db.BatchByIndex(tenant).Add(
            """
            SELECT number, agent_id, description, input::text, timeout_seconds, max_attempts, attempt, failed_attempts
            FROM viral.batch_items
            WHERE tenant_id = $1 AND batch_id = $2 AND number BETWEEN $3 AND $4 AND status = 'pending'
            ORDER BY number
            """,
            [tenant.Value, batchId, lease.First, lease.Last]);
        await using var reader = await batch.ReadByIndexAsync(ct);
        var items = new List<BatchItem>(Math.Min(lease.Last - lease.First + 1, ClaimSize.Most));
        var bytes = 0L;
        while (await reader.ReadAsync(ct))
        {
            var number = reader.GetInt32(0);
            if (bytes > mostBytes)
                return (items, number);
            var item = new BatchItem(
                number,
                reader.IsDBNull(1) ? null : reader.GetString(1),
                reader.GetString(2),
                TaskRow.Json(reader, 3),
                TimeSpan.FromSeconds(reader.IsDBNull(4) ? BatchLimits.DefaultTimeoutSeconds : reader.GetInt32(4)),
                reader.IsDBNull(5) ? BatchLimits.DefaultMaxAttempts : reader.GetInt16(5),
                reader.GetInt32(6),
                reader.GetInt32(7));
            bytes += item.Description.Length + (reader.IsDBNull(3) ? 0 : reader.GetString(3).Length);
            items.Add(item);
        }

        return (items, lease.Last + 1);
    }

    private static void AddSettle(DbBatch batch, TenantId tenant, Guid batchId, int lane, SettledSlice settled)
    {
        var done = settled.Outcomes;
        batch.AddByHash(
            """
            WITH held AS (
                DELETE FROM viral.batch_slices
                WHERE tenant_id = $1 AND id = $4 AND holder = $5
                RETURNING batch_id
            ), settled AS (
                UPDATE viral.batch_items AS item
                SET status = done.status, attempt = item.attempt + 1,
                    failed_attempts = item.failed_attempts + (done.status <> 'completed')::integer,
                    completed_at = CASE WHEN done.status <> 'pending' THEN now() END,
                    result = done.result, answered_by = done.answered_by, error = done.error::jsonb,
                    input_tokens = done.input_tokens, output_tokens = done.output_tokens, cost_usd = done.cost_usd
                FROM unnest(
                    $6::integer[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::numeric[])
                    AS done (number, status, result, answered_by, error, input_tokens, output_tokens, cost_usd)
                WHERE item.tenant_id = $1 AND item.batch_id = (SELECT batch_id FROM held) AND item.number BETWEEN $17 AND $18
                  AND item.number = done.number AND item.status = 'pending'
                RETURNING item.status, item.input_tokens, item.output_tokens, item.cost_usd
            ), counted AS (
                INSERT INTO viral.batch_lanes AS lane (
                    tenant_id, batch_id, lane, completed, failed, cancelled, input_tokens, output_tokens, cost_usd)
                SELECT $1, $2, $3, count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed'), 0,
                       COALESCE(sum(input_tokens), 0), COALESCE(sum(output_tokens), 0), COALESCE(sum(cost_usd), 0)
                FROM settled
                HAVING count(*) > 0
                ON CONFLICT (batch_id, lane) DO UPDATE
                SET completed = lane.completed + EXCLUDED.completed, failed = lane.failed + EXCLUDED.failed,
                    input_tokens = lane.input_tokens + EXCLUDED.input_tokens,
                    output_tokens = lane.output_tokens + EXCLUDED.output_tokens, cost_usd = lane.cost_usd + EXCLUDED.cost_usd
            ), rest AS (
                INSERT INTO viral.batch_slices (tenant_id, batch_id, first, last, due_at)
                SELECT $1, $2, rest.first, rest.last, now() + rest.wait
                FROM unnest($14::integer[], $15::integer[], $16::interval[]) AS rest (first, last, wait)
                WHERE EXISTS (SELECT FROM held)
            ), stopped AS (
                UPDATE viral.batches
                SET stopping = 'failed', updated_at = now()
                WHERE tenant_id = $1 AND id = $2 AND failure_mode = 'fail_fast' AND stopping IS NULL
                  AND EXISTS (SELECT FROM settled WHERE status = 'failed')
            )
            SELECT EXISTS (SELECT FROM held)
            """,
            [
                tenant.Value, batchId, (short)lane, settled.Lease.Id, settled.Lease.Holder,
                done.Select(outcome => outcome.Number).ToArray(),
                done.Select(outcome => outcome.Status).ToArray(),
                done.Select(outcome => outcome.Result).ToArray(),
                done.Select(outcome => outcome.AnsweredBy).ToArray(),
                done.Select(outcome => outcome.ErrorJson).ToArray(),
                done.Select(outcome => outcome.InputTokens).ToArray(),
                done.Select(outcome => outcome.OutputTokens).ToArray(),
                done.Select(outcome => outcome.CostUsd).ToArray(),
                settled.Rest.Select(rest => rest.First).ToArray(),
                settled.Rest.Select(rest => rest.Last).ToArray(),
                settled.Rest.Select(rest => rest.Wait).ToArray(),
                settled.Lease.First,
                settled.Lease.Last,
            ]);
    }

    /// <summary>A held range is one item that runs: a lane runs them one after the other.</summary>
    private void AddClaim(DbBatch batch, TenantId tenant, Guid batchId, SliceClaim claim)
    {
        admission.AddTurn(batch, tenant, "lanes");
        batch.Add(
            """
            WITH places AS (
                SELECT allowed.most
                FROM viral.organizations AS organization
                JOIN unnest($6::text[], $7::integer[]) AS allowed (plan, most) ON allowed.plan = organization.plan
                WHERE organization.id = $1
            ), free AS (
                SELECT slice.id, slice.first, slice.last, slice.lease_until IS NOT NULL AS lapsed,
                       -- What killed its holder is closed in on: half of the range each time.
                       CASE WHEN slice.lease_until IS NULL THEN $3 ELSE LEAST($3, (slice.last - slice.first + 2) / 2) END AS size
                FROM viral.batch_slices AS slice
                WHERE slice.tenant_id = $1 AND slice.batch_id = $2 AND slice.due_at <= now()
                  AND (slice.lease_until IS NULL OR slice.lease_until < now())
                  AND EXISTS (
                      SELECT FROM viral.batches
                      WHERE tenant_id = $1 AND id = $2 AND status = 'in_progress' AND stopping IS NULL)
                  AND (NOT EXISTS (SELECT FROM places) OR (
                      SELECT count(*)
                      FROM viral.batches AS other
                      JOIN viral.batch_slices AS held ON held.tenant_id = other.tenant_id AND held.batch_id = other.id
                      WHERE other.tenant_id = $1 AND other.status = 'in_progress' AND held.lease_until > now()
                  ) < GREATEST(1, (SELECT most FROM places) - (
                      SELECT count(*)
                      FROM viral.tasks
                      WHERE tenant_id = $1 AND status = 'in_progress')))
                ORDER BY slice.first
                LIMIT 1
                FOR UPDATE SKIP LOCKED
            ), rest AS (
                INSERT INTO viral.batch_slices (tenant_id, batch_id, first, last, due_at)
                SELECT $1, $2, first + size, last, now()
                FROM free
                WHERE first + size <= last
            )
            UPDATE viral.batch_slices AS slice
            SET last = LEAST(free.last, free.first + free.size - 1), holder = $4, lease_until = now() + $5,
                lost = slice.lost + free.lapsed::integer
            FROM free
            WHERE slice.id = free.id
            RETURNING slice.id, slice.first, slice.last, slice.lost
            """,
            [tenant.Value, batchId, claim.Size, claim.Holder, claim.Lease, admission.Plans, admission.Most]);
    }
}

/// <param name="Running">It has not ended.</param>
/// <param name="Stopping">It is to end: nothing more is started.</param>
/// <param name="Slices">Ranges that are not settled, held or waiting.</param>
/// <param name="Wait">Until the first of them may be taken.</param>
internal sealed record Remainder(bool Running, bool Stopping, int Slices, TimeSpan Wait);

/// <param name="AgentId">Runs the items that name no other.</param>
/// <param name="Stopping">It is to end: nothing more is started.</param>
internal sealed record LanePlan(Guid BatchId, string? AgentId, FailureMode FailureMode, bool Stopping);

internal sealed record SettledSlice(SliceLease Lease, IReadOnlyList<ItemOutcome> Outcomes, IReadOnlyList<SliceRest> Rest);

internal sealed record SliceClaim(Guid Holder, int Size, TimeSpan Lease);

/// <param name="Kept">What was to be settled is; false: the lease was lost, nothing changed.</param>
internal sealed record LaneStep(bool Kept, SliceLease? Taken);
