using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// Reads the columns of a row one after the other, in the order in which the statement names them, so that one column
/// more or less renumbers no other. For rows of many columns; others are read by position.
/// </summary>
internal struct ColumnCursor(NpgsqlDataReader row)
{
    private int next;

    public Guid Guid() => row.GetGuid(next++);

    public string String() => row.GetString(next++);

    public string[] Strings() => row.GetFieldValue<string[]>(next++);

    public short Int16() => row.GetInt16(next++);

    public int Int32() => row.GetInt32(next++);

    public long Int64() => row.GetInt64(next++);

    public decimal Decimal() => row.GetDecimal(next++);

    public bool Boolean() => row.GetBoolean(next++);

    public DateTime DateTime() => row.GetDateTime(next++);

    public string? StringOrNull() => row.GetStringOrNull(next++);

    public int? Int32OrNull() => row.GetInt32OrNull(next++);

    public long? Int64OrNull() => row.GetInt64OrNull(next++);

    public double? DoubleOrNull() => row.GetDoubleOrNull(next++);

    public decimal? DecimalOrNull() => row.GetDecimalOrNull(next++);

    public DateTime? DateTimeOrNull() => row.GetDateTimeOrNull(next++);

    public JsonElement? JsonOrNull() => row.GetJsonOrNull(next++);

    public T? JsonOrNull<T>(JsonTypeInfo<T> type)
        where T : class => row.GetJsonOrNull(next++, type);
}
