using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>Reads columns that may be NULL.</summary>
internal static class NullableColumns
{
    public static string? GetStringOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetString(column);

    public static Guid? GetGuidOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetGuid(column);

    public static bool? GetBooleanOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetBoolean(column);

    public static int? GetInt32OrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetInt32(column);

    public static long? GetInt64OrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetInt64(column);

    public static double? GetDoubleOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetDouble(column);

    public static decimal? GetDecimalOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetDecimal(column);

    public static DateTime? GetDateTimeOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetDateTime(column);

    /// <summary>Any JSON, from a column of type text.</summary>
    public static JsonElement? GetJsonOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : JsonElement.Parse(row.GetString(column));

    /// <summary>An object, from JSON in a column of type text.</summary>
    public static T? GetJsonOrNull<T>(this NpgsqlDataReader row, int column, JsonTypeInfo<T> type)
        where T : class =>
        row.IsDBNull(column) ? null : JsonSerializer.Deserialize(row.GetString(column), type);
}
