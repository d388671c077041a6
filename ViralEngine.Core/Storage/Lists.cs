using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// Lists with filters that may be left out. Each is planned for the filters that it has, so that it goes by the index of the one that
/// is given; a plan for any filter would go by none.
/// </summary>
internal static class Lists
{
    /// <summary>How far the clocks of the app and of the database may be apart for a range of times to be whole.</summary>
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

    /// <summary>The least id that a row created at or after a time can have.</summary>
    public static Guid? IdFrom(DateTime? from) => from is { } time ? RowId.FirstAt(Moved(time, -Skew)) : null;

    /// <summary>The id that is beyond all that a row created before a time can have.</summary>
    public static Guid? IdBefore(DateTime? before) => before is { } time ? RowId.FirstAt(Moved(time, Skew)) : null;

    private static DateTimeOffset Moved(DateTime time, TimeSpan by)
    {
        var ticks = Math.Clamp(time.Ticks + by.Ticks, DateTime.UnixEpoch.Ticks, DateTime.MaxValue.Ticks);
        return new DateTimeOffset(ticks, TimeSpan.Zero);
    }
}
