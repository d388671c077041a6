using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// Lists with optional filters. Each is planned for the filters given, so that it uses their index; a generic plan
/// would use none.
/// </summary>
internal static class Lists
{
    /// <summary>The tolerated clock difference between app and database for complete time ranges.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(2);

    public static async Task<List<T>> QueryListAsync<T>(
        this Db db, TenantId tenant, string sql, object?[] args, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        var rows = new List<T>();
        await using var batch = db.Batch(tenant)
            .Add("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)", [])
            .Add(sql, args);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct); // skips the setting's row
        while (await reader.ReadAsync(ct))
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The lowest possible id of a row created at or after a time.</summary>
    public static Guid? IdFrom(DateTime? from) => from is { } time ? RowId.FirstAt(Moved(time, -Skew)) : null;

    /// <summary>An id above all possible ids of rows created before a time.</summary>
    public static Guid? IdBefore(DateTime? before) => before is { } time ? RowId.FirstAt(Moved(time, Skew)) : null;

    private static DateTimeOffset Moved(DateTime time, TimeSpan by)
    {
        var ticks = Math.Clamp(time.Ticks + by.Ticks, DateTime.UnixEpoch.Ticks, DateTime.MaxValue.Ticks);
        return new DateTimeOffset(ticks, TimeSpan.Zero);
    }
}
