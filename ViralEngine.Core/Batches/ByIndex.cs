using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Round trips whose statements are forced to use indexes and nested loops. A batch makes a small table large within a
/// second, and a plan prepared for the small table (sequential scan, hash) would be kept until the next ANALYZE.
/// </summary>
internal static class ByIndex
{
    public static DbBatch BatchByIndex(this Db db, TenantId tenant) => db.Batch(tenant).Add(
        """
        SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
               set_config('enable_mergejoin', 'off', true)
        """,
        []);

    /// <summary>Runs all statements and positions the reader at the first statement's result.</summary>
    public static async Task<NpgsqlDataReader> ReadByIndexAsync(this DbBatch batch, CancellationToken ct)
    {
        var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct); // skips the settings' row
        return reader;
    }

    /// <summary>
    /// Adds a statement that joins two lists of hundreds by hash, never by nested loops. Its result is read between
    /// <see cref="ReadByHashAsync"/> and <see cref="PastByHashAsync"/>.
    /// </summary>
    public static void AddByHash(this DbBatch batch, string sql, object?[] args) => batch
        .Add("SELECT set_config('enable_nestloop', 'off', true), set_config('enable_hashjoin', 'on', true)", [])
        .Add(sql, args)
        .Add("SELECT set_config('enable_nestloop', 'on', true), set_config('enable_hashjoin', 'off', true)", []);

    /// <summary>Moves to the first row of such a statement; false if it has none.</summary>
    public static async Task<bool> ReadByHashAsync(this NpgsqlDataReader reader, CancellationToken ct)
    {
        await reader.NextResultAsync(ct); // skips the settings' row
        return await reader.ReadAsync(ct);
    }

    /// <summary>Moves to the result of the statement after it.</summary>
    public static async Task PastByHashAsync(this NpgsqlDataReader reader, CancellationToken ct)
    {
        await reader.NextResultAsync(ct);
        await reader.NextResultAsync(ct); // skips the settings' row
    }

    /// <summary>Runs a statement and returns the first column of its first row.</summary>
    public static async Task<T?> QueryByIndexAsync<T>(
        this Db db, TenantId tenant, string sql, object?[] args, CancellationToken ct)
    {
        await using var batch = db.BatchByIndex(tenant).Add(sql, args);
        await using var reader = await batch.ReadByIndexAsync(ct);
        return await reader.ReadAsync(ct) && !reader.IsDBNull(0) ? reader.GetFieldValue<T>(0) : default;
    }
}
