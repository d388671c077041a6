using Npgsql;
using NpgsqlTypes;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Stores a batch while its body still arrives: items go by COPY into a table of the transaction's own (PostgreSQL has no COPY
/// into tables under row-level security) and from there to their place, all of them or none. Memory does not depend on their
/// number.
/// </summary>
public sealed class BatchIntake(Db db)
{
    /// <summary>The most items that one claim can take.</summary>
    private const int LargestSlice = 500;

    /// <summary>
    /// Stores the items in the transaction that is open on <see cref="Db"/>, before what the batch itself is may be known.
    /// </summary>
    /// <returns>What came.</returns>
    public async Task<BatchContents> StoreAsync(
        TenantId tenant, Guid batchId, IAsyncEnumerable<NewBatchItem> items, CancellationToken ct)
    {
        var connection = await db.EnterAsync(tenant, ct);
        await using (var create = new NpgsqlCommand(
            """
            CREATE TEMPORARY TABLE batch_intake (
                number integer NOT NULL,
                item_id text,
                agent_id text,
                description text NOT NULL,
                input json,
                metadata json,
                timeout_seconds integer,
                max_attempts smallint
            ) ON COMMIT DROP
            """,
            connection))
        {
            await create.ExecuteNonQueryAsync(ct);
        }

        var contents = await CopyAsync(connection, items, ct);
        var stored = await MoveAsync(tenant, batchId, connection, ct);
        if (stored < contents.Items || contents.HasNumericIds)
            contents = contents with { Repeated = await FindRepeatedAsync(tenant, ct) };
        return contents;
    }

    /// <summary>Stores the batch of items that are stored already, with its first event and its work, and counts its items.</summary>
    /// <exception cref="PlanLimitException">It is more than what is left of this month's tasks.</exception>
    public async Task AddAsync(TenantId tenant, NewBatch batch, BatchContents contents, CancellationToken ct)
    {
        if (batch.MostPerMonth > 0)
        {
            // Two at once must not both take what is left; each holds this only from here to its commit.
            await db.ExecuteAsync(
                tenant, "SELECT pg_advisory_xact_lock(hashtextextended('month ' || $1::text, 0))", [tenant.Value], ct);
        }

        var stored = await db.QueryOneAsync<bool?>(
            tenant,
            """
            WITH month AS (
                SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date AS first
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
                SELECT tenant_id, id, 1, 'batch.created',
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
                SliceSize(contents.LastNumber, batch.ConcurrencyLimit), batch.MostPerMonth,
            ],
            row => row.GetBoolean(0),
            ct);
        if (stored is null)
            throw PlanLimitException.OfMonth(batch.MostPerMonth);
    }

    /// <summary>Small enough that each lane gets its share of a small batch.</summary>
    internal static int SliceSize(int items, int lanes) => Math.Clamp(items / (lanes * 4), 1, LargestSlice);

    private static async Task<int> MoveAsync(TenantId tenant, Guid batchId, NpgsqlConnection connection, CancellationToken ct)
    {
        await using var move = new NpgsqlCommand(
            """
            INSERT INTO viral.batch_items (
                tenant_id, batch_id, number, item_id, agent_id, description, input, metadata, timeout_seconds, max_attempts)
            SELECT $1, $2, number, item_id, agent_id, description, input, metadata, timeout_seconds, max_attempts
            FROM batch_intake
            ON CONFLICT (batch_id, item_id) WHERE item_id IS NOT NULL DO NOTHING
            """,
            connection)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = batchId } },
            CommandTimeout = 600, // a million take seconds, on a busy server more
        };
        return await move.ExecuteNonQueryAsync(ct);
    }

    private static async Task<BatchContents> CopyAsync(
        NpgsqlConnection connection, IAsyncEnumerable<NewBatchItem> items, CancellationToken ct)
    {
        var agents = new Dictionary<string, int>();
        var (count, last, withoutAgent, numericIds) = (0, 0, (int?)null, false);
        await using var import = await connection.BeginBinaryImportAsync(
            """
            COPY batch_intake (number, item_id, agent_id, description, input, metadata, timeout_seconds, max_attempts)
            FROM STDIN (FORMAT binary)
            """,
            ct);
        await foreach (var item in items.WithCancellation(ct))
        {
            await import.StartRowAsync(ct);
            await import.WriteAsync(item.Number, NpgsqlDbType.Integer, ct);
            await WriteAsync(import, item.ItemId, NpgsqlDbType.Text, ct);
            await WriteAsync(import, item.AgentId, NpgsqlDbType.Text, ct);
            await import.WriteAsync(item.Description, NpgsqlDbType.Text, ct);
            await WriteAsync(import, item.InputJson, NpgsqlDbType.Json, ct);
            await WriteAsync(import, item.MetadataJson, NpgsqlDbType.Json, ct);
            await WriteAsync(import, item.TimeoutSeconds, NpgsqlDbType.Integer, ct);
            await WriteAsync(import, (short?)item.MaxAttempts, NpgsqlDbType.Smallint, ct);

            (count, last) = (count + 1, item.Number);
            if (item.AgentId is null)
                withoutAgent ??= item.Number;
            else if (agents.Count <= BatchLimits.MostAgents)
                agents.TryAdd(item.AgentId, item.Number);
            // One that looks like a number may be that of a line without an id of its own.
            numericIds |= item.ItemId is [>= '1' and <= '9', ..];
        }

        await import.CompleteAsync(ct);
        return new BatchContents(count, last, withoutAgent, agents, numericIds, []);
    }

    private static Task WriteAsync<T>(NpgsqlBinaryImporter import, T? value, NpgsqlDbType type, CancellationToken ct) =>
        value is null ? import.WriteNullAsync(ct) : import.WriteAsync(value, type, ct);

    private Task<List<RepeatedId>> FindRepeatedAsync(TenantId tenant, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            """
            SELECT COALESCE(item_id, number::text), (array_agg(number ORDER BY number))[1:2]
            FROM batch_intake
            GROUP BY COALESCE(item_id, number::text)
            HAVING count(*) > 1
            ORDER BY min(number)
            LIMIT 20
            """,
            [],
            row => row.GetFieldValue<int[]>(1) is [var first, var again]
                ? new RepeatedId(row.GetString(0), first, again)
                : throw new InvalidOperationException("An id that is there twice has two places."),
            ct);
}

/// <summary>What a body held.</summary>
/// <param name="LastNumber">Of the last item: more than their count where lines were empty.</param>
/// <param name="WithoutAgent">The first item that names no agent.</param>
/// <param name="Agents">Which agents are named, and by which item first; more than are allowed, where that is so.</param>
/// <param name="Repeated">Ids that are there more than once: then the items are not whole.</param>
public sealed record BatchContents(
    int Items,
    int LastNumber,
    int? WithoutAgent,
    IReadOnlyDictionary<string, int> Agents,
    bool HasNumericIds,
    IReadOnlyList<RepeatedId> Repeated);

public sealed record RepeatedId(string Id, int First, int Again);
