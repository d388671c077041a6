using Npgsql;
using ViralEngine.Core.Events;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Stores a batch while its body arrives: the items in portions, each in a transaction of its own, and finally the
/// batch. No connection is held while the client sends, and memory does not depend on the number of items. Items are
/// invisible until the batch is stored; those of an aborted submission are removed.
/// </summary>
public sealed class BatchIntake(Db db, NpgsqlDataSource dataSource, TimeProvider time)
{
    /// <summary>The maximum number of items per claim.</summary>
    private const int MaxSlice = 500;

    private const int MaxPortion = 1000;
    private const int MaxPortionCharacters = 1024 * 1024;

    /// <summary>
    /// Stores the items as they arrive, before the batch's settings may be known. Stops if they exceed what the plan
    /// has left for the month. The caller must call <see cref="AddAsync"/> or <see cref="RemoveAsync"/> afterwards.
    /// </summary>
    /// <returns>A summary of the items received.</returns>
    /// <exception cref="PlanLimitException">They exceed what is left of this month's tasks.</exception>
    public async Task<BatchContents> StoreAsync(
        TenantId tenant, Guid batchId, long mostPerMonth, IAsyncEnumerable<NewBatchItem> items, CancellationToken ct)
    {
        var left = mostPerMonth == 0 ? long.MaxValue : mostPerMonth - await CountMonthAsync(tenant, ct);
        var tally = new IntakeTally();
        var portion = new List<NewBatchItem>();
        var characters = 0;
        await foreach (var item in items.WithCancellation(ct))
        {
            tally.Add(item);
            if (tally.Items > left)
                throw PlanLimitException.OfMonth(mostPerMonth, time);
            portion.Add(item);
            characters += item.Description.Length + (item.InputJson?.Length ?? 0) + (item.MetadataJson?.Length ?? 0);
            if (portion.Count < MaxPortion && characters < MaxPortionCharacters)
                continue;
            await StoreAsync(tenant, batchId, portion, tally, ct);
            portion.Clear();
            characters = 0;
        }

        if (portion.Count > 0)
            await StoreAsync(tenant, batchId, portion, tally, ct);
        if (tally.HasNumericIds)
            tally.Repeat(await FindNumbersAsync(tenant, batchId, ct));
        return tally.ToContents();
    }

    /// <summary>Removes the items of an aborted submission.</summary>
    public async Task RemoveAsync(TenantId tenant, Guid batchId, CancellationToken ct)
    {
        await using var own = new Db(dataSource);
        while (await own.ExecuteAsync(
            tenant,
            """
            DELETE FROM viral.batch_items
            WHERE tenant_id = $1 AND batch_id = $2 AND number IN (
                SELECT number
                FROM viral.batch_items
                WHERE tenant_id = $1 AND batch_id = $2
                LIMIT 10000
            ) AND NOT EXISTS (SELECT FROM viral.batches WHERE tenant_id = $1 AND id = $2)
            """,
            [tenant.Value, batchId],
            ct) > 0)
        {
        }

        await own.ExecuteAsync(
            tenant, "DELETE FROM viral.batch_intakes WHERE tenant_id = $1 AND batch_id = $2", [tenant.Value, batchId],
            ct);
    }

    /// <summary>Removes the items that dead processes left, of all tenants.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        await using var own = new Db(dataSource);
        var left = await own.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT tenant_id, batch_id
            FROM viral.batch_intakes
            WHERE last_stored_at < now() - interval '1 hour'
            LIMIT 100
            """,
            [],
            row => (Tenant: new TenantId(row.GetGuid(0)), BatchId: row.GetGuid(1)),
            ct);
        foreach (var (tenant, batchId) in left)
            await RemoveAsync(tenant, batchId, ct);
    }

    /// <summary>
    /// Stores the batch of already stored items, with its first event and its ranges, and counts the items against the
    /// plan.
    /// </summary>
    /// <exception cref="PlanLimitException">The items exceed what is left of this month's tasks.</exception>
    public async Task AddAsync(TenantId tenant, NewBatch batch, BatchContents contents, CancellationToken ct)
    {
        if (batch.MaxPerMonth > 0)
        {
            // Two submissions must not both take what is left; the lock is held only until the commit.
            await db.ExecuteAsync(
                tenant, "SELECT pg_advisory_xact_lock(hashtextextended('month ' || $1::text, 0))", [tenant.Value], ct);
        }

        var stored = await db.QueryOneAsync<bool?>(
            tenant,
            $$"""
            WITH month AS (
                SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date AS first
            ), intake AS (
                DELETE FROM viral.batch_intakes
                WHERE tenant_id = $1 AND batch_id = $2
            ), batch AS (
                INSERT INTO viral.batches (
                    tenant_id, id, name, description, status, agent_id, concurrency_limit, failure_mode, total_items,
                    created_by, created_at, updated_at, check_at, progress_at)
                SELECT
                    $1, $2, $3, $4, 'pending', $5, $6, $7, $8,
                    $9, now(), now(), now() + interval '10 seconds', now()
                WHERE $12 = 0 OR $12 >= $8 + (
                    SELECT COALESCE(sum(submitted), 0)
                    FROM viral.task_counts
                    WHERE tenant_id = $1 AND month = (SELECT first FROM month))
                RETURNING tenant_id, id, status, name, total_items, created_at
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, 1, '{{EventTypes.BatchCreated}}',
                       jsonb_build_object('status', status, 'name', name, 'total', total_items), created_at
                FROM batch
            ), counted AS (
                INSERT INTO viral.task_counts AS counts (tenant_id, month, slot, submitted)
                SELECT batch.tenant_id, month.first, pg_backend_pid() % 64, batch.total_items
                FROM batch, month
                ON CONFLICT (tenant_id, month, slot) DO UPDATE
                SET submitted = counts.submitted + EXCLUDED.submitted
            ), slices AS (
                INSERT INTO viral.batch_slices (tenant_id, batch_id, first, last, due_at)
                SELECT tenant_id, id, first, LEAST(first + $11 - 1, $10), created_at
                FROM batch
                CROSS JOIN generate_series(1, $10, $11) AS first
            )
            SELECT true
            FROM batch
            """,
            [
                tenant.Value, batch.Id, batch.Name, batch.Description, batch.AgentId, (short)batch.ConcurrencyLimit,
                batch.FailureMode.ToText(), contents.Items, batch.CreatedBy, contents.LastNumber,
                SliceSize(contents.LastNumber, batch.ConcurrencyLimit), batch.MaxPerMonth,
            ],
            row => row.GetBoolean(0),
            ct);
        if (stored is null)
            throw PlanLimitException.OfMonth(batch.MaxPerMonth, time);
    }

    /// <summary>Small enough that each lane gets a share of a small batch.</summary>
    internal static int SliceSize(int items, int lanes) => Math.Clamp(items / (lanes * 4), 1, MaxSlice);

    private Task<long> CountMonthAsync(TenantId tenant, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            SELECT COALESCE(sum(submitted), 0)::bigint
            FROM viral.task_counts
            WHERE tenant_id = $1 AND month = date_trunc('month', now() AT TIME ZONE 'UTC')::date
            """,
            [tenant.Value],
            row => row.GetInt64(0),
            ct);

    private async Task StoreAsync(
        TenantId tenant, Guid batchId, List<NewBatchItem> portion, IntakeTally tally, CancellationToken ct)
    {
        await using var own = new Db(dataSource);
        await using var batch = own.Batch(tenant)
            .Add(
                """
                INSERT INTO viral.batch_intakes (tenant_id, batch_id)
                VALUES ($1, $2)
                ON CONFLICT (batch_id) DO UPDATE
                SET last_stored_at = now()
                """,
                [tenant.Value, batchId])
            .Add(
                """
                INSERT INTO viral.batch_items (
                    tenant_id, batch_id, number, item_id, agent_id, description, input, metadata, timeout_seconds,
                    max_attempts)
                SELECT $1, $2, number, item_id, agent_id, description, input::json, metadata::json, timeout_seconds,
                       max_attempts
                FROM unnest($3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[],
                    $10::smallint[])
                    AS item (number, item_id, agent_id, description, input, metadata, timeout_seconds, max_attempts)
                ON CONFLICT (batch_id, item_id) WHERE item_id IS NOT NULL DO NOTHING
                RETURNING number
                """,
                [
                    tenant.Value, batchId,
                    portion.Select(item => item.Number).ToArray(),
                    portion.Select(item => item.ItemId).ToArray(),
                    portion.Select(item => item.AgentId).ToArray(),
                    portion.Select(item => item.Description).ToArray(),
                    portion.Select(item => item.InputJson).ToArray(),
                    portion.Select(item => item.MetadataJson).ToArray(),
                    portion.Select(item => item.TimeoutSeconds).ToArray(),
                    portion.Select(item => (short?)item.MaxAttempts).ToArray(),
                ]);
        var stored = new HashSet<int>(portion.Count);
        await using (var reader = await batch.ExecuteReaderAsync(ct))
        {
            // The first statement returns no rows.
            while (await reader.ReadAsync(ct))
                stored.Add(reader.GetInt32(0));
        }

        var repeated = portion.Where(item => !stored.Contains(item.Number)).ToArray();
        if (repeated.Length > 0)
            tally.Repeat(await FindFirstAsync(own, tenant, batchId, repeated, ct));
    }

    /// <summary>For items that were not stored because of a duplicate id, where the id was used first.</summary>
    private static Task<List<RepeatedId>> FindFirstAsync(
        Db own, TenantId tenant, Guid batchId, NewBatchItem[] repeated, CancellationToken ct) =>
        own.QueryAsync(
            tenant,
            """
            SELECT item.item_id, item.number, again.number
            FROM unnest($3::text[], $4::integer[]) AS again (item_id, number)
            JOIN viral.batch_items AS item
              ON item.tenant_id = $1 AND item.batch_id = $2 AND item.item_id = again.item_id
            ORDER BY item.number, again.number
            LIMIT 20
            """,
            [
                tenant.Value, batchId, repeated.Select(item => item.ItemId).ToArray(),
                repeated.Select(item => item.Number).ToArray(),
            ],
            row => new RepeatedId(row.GetString(0), row.GetInt32(1), row.GetInt32(2)),
            ct);

    /// <summary>Ids that equal the number of an item without an id of its own.</summary>
    private async Task<List<RepeatedId>> FindNumbersAsync(TenantId tenant, Guid batchId, CancellationToken ct)
    {
        await using var own = new Db(dataSource);
        await using var batch = own.BatchByIndex(tenant).Add(
            """
            SELECT named.item_id, LEAST(named.number, numbered.number), GREATEST(named.number, numbered.number)
            FROM viral.batch_items AS named
            JOIN viral.batch_items AS numbered
              ON numbered.tenant_id = $1 AND numbered.batch_id = $2 AND numbered.item_id IS NULL
             AND numbered.number = CASE WHEN named.item_id ~ '^[1-9][0-9]{0,6}$' THEN named.item_id::integer END
            WHERE named.tenant_id = $1 AND named.batch_id = $2 AND named.item_id IS NOT NULL
            ORDER BY 2
            LIMIT 20
            """,
            [tenant.Value, batchId]);
        await using var reader = await batch.ReadByIndexAsync(ct);
        var found = new List<RepeatedId>();
        while (await reader.ReadAsync(ct))
            found.Add(new RepeatedId(reader.GetString(0), reader.GetInt32(1), reader.GetInt32(2)));
        return found;
    }
}

/// <summary>Counts the items received.</summary>
internal sealed class IntakeTally
{
    private const int MaxRepeated = 20;
    private readonly Dictionary<string, int> agents = [];
    private readonly List<RepeatedId> repeated = [];
    private int last;
    private int? withoutAgent;

    public int Items { get; private set; }

    public bool HasNumericIds { get; private set; }

    public void Add(in NewBatchItem item)
    {
        Items++;
        last = item.Number;
        if (item.AgentId is null)
            withoutAgent ??= item.Number;
        else if (agents.Count <= BatchLimits.MaxAgents)
            agents.TryAdd(item.AgentId, item.Number);
        // An id that looks like a number may equal that of a line without an id of its own.
        HasNumericIds |= item.ItemId is [>= '1' and <= '9', ..];
    }

    public void Repeat(IEnumerable<RepeatedId> more) => repeated.AddRange(more.Take(MaxRepeated - repeated.Count));

    public BatchContents ToContents() => new(Items, last, withoutAgent, agents, repeated);
}

/// <summary>A summary of the items received.</summary>
/// <param name="LastNumber">The number of the last item, which exceeds their count if lines were empty.</param>
/// <param name="WithoutAgent">The number of the first item that names no agent.</param>
/// <param name="Agents">The agents named, each with the first item that names it. May hold more than are
/// allowed.</param>
/// <param name="Repeated">Duplicate ids; if there are any, not all items were stored.</param>
public sealed record BatchContents(
    int Items,
    int LastNumber,
    int? WithoutAgent,
    IReadOnlyDictionary<string, int> Agents,
    IReadOnlyList<RepeatedId> Repeated);

public sealed record RepeatedId(string Id, int First, int Again);
