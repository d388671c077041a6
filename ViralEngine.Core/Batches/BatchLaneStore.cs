using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>
/// A lane's side of batches in PostgreSQL: it settles the slice it has run and claims the next in one round trip and
/// one commit, by one statement each for hundreds of items. Leases run by the database's clock.
/// </summary>
public sealed class BatchLaneStore(Db db, TaskAdmission? admission = null)
{
    private readonly TaskAdmission admission = admission ?? TaskAdmission.Everything;

    /// <summary>What remains when there was nothing to claim.</summary>
    internal Task<Remainder?> LookAsync(TenantId tenant, Guid batchId, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            SELECT batch.status = 'in_progress', batch.stopping IS NOT NULL,
                   (SELECT count(*)::integer FROM viral.batch_slices WHERE tenant_id = $1 AND batch_id = $2),
                   (SELECT min(GREATEST(due_at, lease_until)) - now() FROM viral.batch_slices WHERE tenant_id = $1
                       AND batch_id = $2)
            FROM viral.batches AS batch
            WHERE batch.tenant_id = $1 AND batch.id = $2
            """,
            [tenant.Value, batchId],
            row => new Remainder(
                row.GetBoolean(0), row.GetBoolean(1), row.GetInt32(2),
                row.IsDBNull(3) ? TimeSpan.Zero : row.GetTimeSpan(3)),
            ct);

    /// <summary>How to run the batch; null if it is not running.</summary>
    internal Task<LanePlan?> FindPlanAsync(TenantId tenant, Guid batchId, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            SELECT agent_id, failure_mode, stopping IS NOT NULL
            FROM viral.batches
            WHERE tenant_id = $1 AND id = $2 AND status = 'in_progress'
            """,
            [tenant.Value, batchId],
            row => new LanePlan(
                batchId, row.GetStringOrNull(0), FailureModes.Parse(row.GetString(1)), row.GetBoolean(2)),
            ct);

    /// <summary>
    /// Settles what a lane has run (if anything) and claims the fronts of free ranges (if requested). Settling under a
    /// lost lease changes nothing.
    /// </summary>
    internal async Task<LaneStep> SettleAndClaimAsync(
        TenantId tenant, Guid batchId, int lane, IReadOnlyList<SettledSlice> settled, SliceClaim? claim,
        CancellationToken ct)
    {
        await using var batch = db.BatchByIndex(tenant);
        if (settled.Count > 0)
            AddSettle(batch, tenant, batchId, lane, settled);
        if (claim is not null)
            AddClaim(batch, tenant, batchId, lane, claim);
        await using var reader = await batch.ReadByIndexAsync(ct);

        var kept = new HashSet<long>();
        if (settled.Count > 0)
        {
            if (await reader.ReadByHashAsync(ct))
            {
                do
                    kept.Add(reader.GetInt64(0));
                while (await reader.ReadAsync(ct));
            }

            await reader.PastByHashAsync(ct);
        }

        var taken = new List<SliceLease>();
        if (claim is not null)
        {
            if (admission.IsLimited)
                await reader.NextResultAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                taken.Add(new SliceLease(
                    reader.GetInt64(0), claim.Holder, reader.GetInt32(1), reader.GetInt32(2), reader.GetInt16(3)));
            }
        }

        return new LaneStep([.. settled.Where(slice => !kept.Contains(slice.Lease.Id))], taken);
    }

    /// <summary>
    /// The pending items of claimed ranges, up to a size. A separate statement after the claim, so that its snapshot
    /// cannot show an item as pending that the former holder has just settled.
    /// </summary>
    internal async Task<List<ClaimedSlice>> ReadAsync(
        TenantId tenant, Guid batchId, IReadOnlyList<SliceLease> leases, long mostBytes, CancellationToken ct)
    {
        await using var batch = db.BatchByIndex(tenant).Add(
            """
            SELECT item.number, item.agent_id, item.description, item.input::text, item.timeout_seconds,
                   item.max_attempts, item.attempt, item.failed_attempts
            FROM unnest($3::integer[], $4::integer[]) AS slice (first, last)
            -- LATERAL and OFFSET: each range is read by its numbers. For a join, the planner may read the whole batch
            -- once for many ranges.
            CROSS JOIN LATERAL (
                SELECT number, agent_id, description, input, timeout_seconds, max_attempts, attempt, failed_attempts
                FROM viral.batch_items
                WHERE tenant_id = $1 AND batch_id = $2 AND number BETWEEN slice.first AND slice.last
                    AND status = 'pending'
                OFFSET 0) AS item
            ORDER BY item.number
            """,
            [
                tenant.Value, batchId, leases.Select(lease => lease.First).ToArray(),
                leases.Select(lease => lease.Last).ToArray(),
            ]);
        await using var reader = await batch.ReadByIndexAsync(ct);
        var items = new List<BatchItem>();
        var bytes = 0L;
        var unread = int.MaxValue;
        while (await reader.ReadAsync(ct))
        {
            var number = reader.GetInt32(0);
            if (bytes > mostBytes)
            {
                unread = number;
                break;
            }

            var item = new BatchItem(
                number,
                reader.GetStringOrNull(1),
                reader.GetString(2),
                reader.GetJsonOrNull(3),
                TimeSpan.FromSeconds(reader.IsDBNull(4) ? BatchLimits.DefaultTimeoutSeconds : reader.GetInt32(4)),
                reader.IsDBNull(5) ? BatchLimits.DefaultMaxAttempts : reader.GetInt16(5),
                reader.GetInt32(6),
                reader.GetInt32(7));
            bytes += item.Description.Length + (reader.IsDBNull(3) ? 0 : reader.GetString(3).Length);
            items.Add(item);
        }

        return SliceUp(leases, items, unread);
    }

    /// <summary>Each lease with its items. Items beyond the last one read are not run.</summary>
    private static List<ClaimedSlice> SliceUp(IReadOnlyList<SliceLease> leases, List<BatchItem> items, int unread)
    {
        var slices = new List<ClaimedSlice>(leases.Count);
        var position = 0;
        foreach (var lease in leases.OrderBy(lease => lease.First))
        {
            var begin = position;
            while (position < items.Count && items[position].Number <= lease.Last)
                position++;
            var next = unread > lease.Last ? lease.Last + 1 : Math.Max(unread, lease.First);
            slices.Add(new ClaimedSlice(lease, items.GetRange(begin, position - begin), next));
        }

        return slices;
    }

    private static void AddSettle(
        DbBatch batch, TenantId tenant, Guid batchId, int lane, IReadOnlyList<SettledSlice> settled)
    {
        var done = settled.SelectMany(slice => slice.Outcomes.Select(outcome => (slice.Lease.Id, Outcome: outcome)))
            .ToArray();
        var rest = settled.SelectMany(slice => slice.Rest.Select(rest => (slice.Lease.Id, Range: rest))).ToArray();
        batch.AddByHash(
            $$"""
            WITH held AS (
                DELETE FROM viral.batch_slices AS slice
                USING unnest($4::bigint[], $5::uuid[]) AS mine (id, holder)
                WHERE slice.tenant_id = $1 AND slice.id = ANY ($4) AND slice.id = mine.id AND slice.holder = mine.holder
                RETURNING slice.id
            ), settled AS (
                UPDATE viral.batch_items AS item
                SET status = done.status, attempt = item.attempt + 1,
                    failed_attempts = item.failed_attempts + (done.status <> 'completed')::integer,
                    completed_at = CASE WHEN done.status <> 'pending' THEN now() END,
                    result = done.result, answered_by = done.answered_by, error = done.error::jsonb,
                    finish_reason = done.finish_reason,
                    -- Each attempt's come to those of the attempts before: what was used is paid.
                    input_tokens = CASE WHEN done.input_tokens IS NULL THEN item.input_tokens
                        ELSE COALESCE(item.input_tokens, 0) + done.input_tokens END,
                    output_tokens = CASE WHEN done.output_tokens IS NULL THEN item.output_tokens
                        ELSE COALESCE(item.output_tokens, 0) + done.output_tokens END,
                    cost_usd = CASE WHEN done.cost_usd IS NULL THEN item.cost_usd
                        ELSE COALESCE(item.cost_usd, 0) + done.cost_usd END
                FROM unnest(
                    $17::bigint[], $6::integer[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],
                    $12::bigint[],
                    $13::numeric[], $19::text[], $20::double precision[], $21::double precision[])
                    AS done (
                        slice, number, status, result, answered_by, error, input_tokens, output_tokens, cost_usd,
                        finish_reason, seconds, first_token)
                WHERE item.tenant_id = $1 AND item.batch_id = $2 AND item.number = ANY ($6)
                    AND item.number = done.number
                  AND item.status = 'pending' AND done.slice IN (SELECT id FROM held)
                RETURNING item.status, item.agent_id, done.input_tokens, done.output_tokens, done.cost_usd,
                          done.seconds, done.first_token
            ), attempts AS (
                SELECT COALESCE(agent_id, (SELECT agent_id FROM viral.batches WHERE tenant_id = $1 AND id = $2),
                       '') AS agent_id,
                       count(*) FILTER (WHERE status = 'completed') AS completed,
                       count(*) FILTER (WHERE status = 'failed') AS failed,
                       count(*) FILTER (WHERE status = 'pending') AS retried,
                       COALESCE(sum(input_tokens), 0) AS input_tokens,
                       COALESCE(sum(output_tokens), 0) AS output_tokens, COALESCE(sum(cost_usd), 0) AS cost_usd,
                       COALESCE(array_agg(viral.latency_bucket(seconds)) FILTER (WHERE seconds IS NOT NULL), '{}')
                           AS latencies,
                       COALESCE(sum(ln(GREATEST(seconds, 0.001))) FILTER (WHERE seconds IS NOT NULL), 0)
                           AS latency_log_sum,
                       COALESCE(array_agg(viral.latency_bucket(first_token)) FILTER (WHERE first_token IS NOT NULL),
                           '{}') AS first_tokens
                FROM settled
                GROUP BY settled.agent_id
            ), {{MetricRecording.Added}}, counted AS (
                INSERT INTO viral.batch_lanes AS lane (
                    tenant_id, batch_id, lane, completed, failed, cancelled, input_tokens, output_tokens, cost_usd)
                SELECT $1, $2, $3, sum(completed), sum(failed), 0, sum(input_tokens), sum(output_tokens), sum(cost_usd)
                FROM attempts
                HAVING count(*) > 0
                ON CONFLICT (batch_id, lane) DO UPDATE
                SET completed = lane.completed + EXCLUDED.completed, failed = lane.failed + EXCLUDED.failed,
                    input_tokens = lane.input_tokens + EXCLUDED.input_tokens,
                    output_tokens = lane.output_tokens + EXCLUDED.output_tokens,
                    cost_usd = lane.cost_usd + EXCLUDED.cost_usd
            ), rest AS (
                INSERT INTO viral.batch_slices (tenant_id, batch_id, first, last, due_at)
                SELECT $1, $2, rest.first, rest.last, now() + rest.wait
                FROM unnest($18::bigint[], $14::integer[], $15::integer[], $16::interval[]) AS rest (slice, first, last,
                    wait)
                WHERE rest.slice IN (SELECT id FROM held)
            ), stopped AS (
                UPDATE viral.batches
                SET stopping = 'failed', updated_at = now()
                WHERE tenant_id = $1 AND id = $2 AND failure_mode = 'fail_fast' AND stopping IS NULL
                  AND EXISTS (SELECT FROM settled WHERE status = 'failed')
            )
            SELECT id
            FROM held
            """,
            [
                tenant.Value, batchId, (short)lane,
                settled.Select(slice => slice.Lease.Id).ToArray(),
                settled.Select(slice => slice.Lease.Holder).ToArray(),
                done.Select(one => one.Outcome.Number).ToArray(),
                done.Select(one => one.Outcome.Status).ToArray(),
                done.Select(one => one.Outcome.Result?.ToString()).ToArray(),
                done.Select(one => one.Outcome.AnsweredBy).ToArray(),
                done.Select(one => one.Outcome.ErrorJson).ToArray(),
                done.Select(one => one.Outcome.Used?.InputTokens).ToArray(),
                done.Select(one => one.Outcome.Used?.OutputTokens).ToArray(),
                done.Select(one => one.Outcome.Used?.CostUsd).ToArray(),
                rest.Select(one => one.Range.First).ToArray(),
                rest.Select(one => one.Range.Last).ToArray(),
                rest.Select(one => one.Range.Wait).ToArray(),
                done.Select(one => one.Id).ToArray(),
                rest.Select(one => one.Id).ToArray(),
                done.Select(one => one.Outcome.FinishReason).ToArray(),
                done.Select(one => one.Outcome.Took?.TotalSeconds).ToArray(),
                done.Select(one => one.Outcome.TimeToFirstToken?.TotalSeconds).ToArray(),
            ]);
    }

    /// <summary>
    /// Each held range is one running item, because its items run one after the other. A lane holds at most as many
    /// ranges as it has places, including those of its earlier turns and of a dead worker.
    /// </summary>
    private void AddClaim(DbBatch batch, TenantId tenant, Guid batchId, int lane, SliceClaim claim)
    {
        admission.AddTurn(batch, tenant, "lanes");
        if (claim.FreesLapsed)
        {
            batch.Add(
                """
                -- What dead workers held is free again, and still theirs to settle until another takes it. What is
                -- locked, another lane
                -- frees or settles at this moment: lanes that waited for each other's would wait in circles.
                WITH lapsed AS (
                    SELECT id
                    FROM viral.batch_slices
                    WHERE tenant_id = $1 AND batch_id = $2 AND lease_until < now()
                      -- A server that has just started was away: the living renew first.
                      AND pg_postmaster_start_time() < now() - $3
                    ORDER BY id
                    FOR UPDATE SKIP LOCKED
                )
                UPDATE viral.batch_slices AS slice
                SET lease_until = NULL, lost = lost + 1, lane = NULL
                FROM lapsed
                WHERE slice.id = lapsed.id
                """,
                [tenant.Value, batchId, Outage.Grace]);
        }

        batch.Add(
            """
            WITH places AS (
                SELECT GREATEST(1, allowed.most - (
                    SELECT count(*)
                    FROM viral.tasks
                    WHERE tenant_id = $1 AND status = 'in_progress'
                )) - (
                    SELECT count(*)
                    FROM viral.batches AS other
                    JOIN viral.batch_slices AS held ON held.tenant_id = other.tenant_id AND held.batch_id = other.id
                    WHERE other.tenant_id = $1 AND other.status = 'in_progress' AND held.lease_until > now()
                ) AS left
                FROM viral.organizations AS organization
                JOIN unnest($6::text[], $7::integer[]) AS allowed (plan, most) ON allowed.plan = organization.plan
                WHERE organization.id = $1
            ), wanted AS (
                SELECT GREATEST(0, LEAST(
                    $8,
                    $9 - (
                        SELECT count(*)
                        FROM viral.batch_slices
                        WHERE tenant_id = $1 AND batch_id = $2 AND lane = $10 AND lease_until IS NOT NULL),
                    COALESCE((SELECT places.left FROM places), $8))) AS slices
                FROM viral.batches
                WHERE tenant_id = $1 AND id = $2 AND status = 'in_progress' AND stopping IS NULL
            ), free AS (
                SELECT id, first, last, lost,
                       -- What killed its holder is closed in on: half of the range each time.
                       CASE WHEN holder IS NULL THEN $3 ELSE LEAST($3, (last - first + 2) / 2) END AS size
                FROM viral.batch_slices
                WHERE tenant_id = $1 AND batch_id = $2 AND lease_until IS NULL AND due_at <= now()
                ORDER BY first
                LIMIT COALESCE((SELECT slices FROM wanted), 0)
                FOR UPDATE SKIP LOCKED
            ), counted AS (
                SELECT id, first, last, lost, size, pieces, sum(pieces) OVER (ORDER BY first) - pieces AS before
                FROM (
                    SELECT id, first, last, lost, size,
                           CASE WHEN lost > 0 THEN 1 ELSE (last - first + size) / size END AS pieces
                    FROM free
                ) AS cut
            ), taken AS (
                SELECT id, first, last, lost, size, LEAST(pieces, wanted.slices - before)::integer AS pieces
                FROM counted, wanted
                WHERE before < wanted.slices
            ), gone AS (
                DELETE FROM viral.batch_slices AS slice
                USING taken
                WHERE slice.id = taken.id AND taken.first + taken.pieces * taken.size > taken.last
            ), rest AS (
                UPDATE viral.batch_slices AS slice
                SET first = taken.first + taken.pieces * taken.size, holder = NULL, lost = 0
                FROM taken
                WHERE slice.id = taken.id AND taken.first + taken.pieces * taken.size <= taken.last
            )
            INSERT INTO viral.batch_slices AS slice (tenant_id, batch_id, first, last, due_at, holder, lease_until,
                lost, lane)
            SELECT $1, $2, taken.first + piece * taken.size,
                   LEAST(taken.last, taken.first + (piece + 1) * taken.size - 1), now(), $4,
                   now() + $5, taken.lost, $10
            FROM taken
            CROSS JOIN generate_series(0, taken.pieces - 1) AS piece
            RETURNING slice.id, slice.first, slice.last, slice.lost
            """,
            [
                tenant.Value, batchId, claim.Size, claim.Holder, claim.Lease, admission.Plans, admission.Most,
                claim.Slices, claim.Places, (short)lane,
            ]);
    }
}

/// <param name="Running">The batch has not ended.</param>
/// <param name="Stopping">The batch must end: no more items start.</param>
/// <param name="Slices">Unsettled ranges, held or waiting.</param>
/// <param name="Wait">The wait until the first of them may be claimed.</param>
internal sealed record Remainder(bool Running, bool Stopping, int Slices, TimeSpan Wait);

/// <param name="AgentId">The agent for items that name no other.</param>
/// <param name="Stopping">The batch must end: no more items start.</param>
internal sealed record LanePlan(Guid BatchId, string? AgentId, FailureMode FailureMode, bool Stopping);

/// <summary>Dispose after storing or discarding it: releases long answers.</summary>
internal sealed record SettledSlice(
    SliceLease Lease, IReadOnlyList<ItemOutcome> Outcomes, IReadOnlyList<SliceRest> Rest) : IDisposable
{
    public int MaxAnswer => Outcomes.Max(outcome => outcome.Result?.Length) ?? 0;

    public void Dispose()
    {
        foreach (var outcome in Outcomes)
            outcome.Result?.Long?.Dispose();
    }
}

/// <param name="Holder">The fencing token of this claim.</param>
/// <param name="Slices">The number of ranges to claim.</param>
/// <param name="Size">The maximum number of items of each.</param>
/// <param name="Places">The maximum number of ranges the lane may hold in total.</param>
/// <param name="FreesLapsed">Whether to first free the ranges of dead workers.</param>
internal sealed record SliceClaim(Guid Holder, int Slices, int Size, int Places, TimeSpan Lease, bool FreesLapsed);

/// <param name="Lost">Ranges that were not settled because their lease was lost.</param>
internal sealed record LaneStep(IReadOnlyList<SettledSlice> Lost, IReadOnlyList<SliceLease> Taken);
