using System.Text.Json;
using Npgsql;

namespace ViralEngine.Core.Tasks;

/// <summary>The columns of a task in the order in which <see cref="Read"/> takes them.</summary>
internal static class TaskRow
{
    public static AgentTask Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        AgentTaskStatuses.Parse(row.GetString(1))!.Value,
        row.GetString(2),
        row.GetString(3),
        Json(row, 4),
        row.GetInt16(5),
        row.GetFieldValue<string[]>(6),
        Json(row, 7),
        row.GetInt32(8),
        row.GetInt16(9),
        Time(row, 10),
        row.GetString(11),
        row.GetDateTime(12),
        row.GetDateTime(13),
        Time(row, 14),
        Time(row, 15),
        Time(row, 16),
        !row.IsDBNull(17),
        row.GetInt32(18),
        row.GetInt32(19),
        row.IsDBNull(20) ? null : row.GetDouble(20),
        row.IsDBNull(21) ? null : row.GetString(21),
        row.IsDBNull(22) ? null : row.GetString(22),
        row.IsDBNull(23) ? null : JsonSerializer.Deserialize(row.GetString(23), TaskJson.Default.TaskError),
        row.IsDBNull(24)
            ? null
            : new TaskUsage(row.GetInt64(24), row.GetInt64(25), row.IsDBNull(26) ? null : row.GetDecimal(26)));

    internal static JsonElement? Json(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : JsonElement.Parse(row.GetString(column));

    private static DateTime? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetDateTime(column);
}
