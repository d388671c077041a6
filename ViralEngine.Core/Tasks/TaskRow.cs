using Npgsql;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Tasks;

/// <summary>Reads tasks from rows.</summary>
internal static class TaskRow
{
    /// <summary>Results up to this size are read with their tasks; larger ones separately.</summary>
    public const int MaxResultBytes = 64 * 1024;

    /// <summary>In the order in which <see cref="Read"/> reads them.</summary>
    public const string Columns =
        $"""
        {Before}, CASE WHEN octet_length(result) <= 65536 THEN result END, {After}
        """;

    /// <summary>The columns for lists, with the beginning of the result; read by <see cref="ReadForList"/>.</summary>
    public const string ListColumns =
        $"""
        {Before}, left(result, 1025), {After}
        """;

    private const string Before =
        """
        id, status, agent_id, description, input::text, priority, tags, metadata::text, timeout_seconds,
        max_attempts, scheduled_at, created_by, created_at, updated_at, started_at, completed_at,
        CASE WHEN status = 'pending' AND attempt > 0 THEN due_at END,
        cancel_requested_at, attempt - held_attempts, failed_attempts, progress
        """;

    private const string After =
        """
        answered_by, error::text, input_tokens, output_tokens, cost_usd, finish_reason, waiting_for, octet_length(result)
        """;

    public static AgentTask Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        AgentTaskStatuses.Parse(row.GetString(1))!.Value,
        row.GetString(2),
        row.GetString(3),
        row.GetJsonOrNull(4),
        row.GetInt16(5),
        row.GetFieldValue<string[]>(6),
        row.GetJsonOrNull(7),
        row.GetInt32(8),
        row.GetInt16(9),
        row.GetDateTimeOrNull(10),
        row.GetString(11),
        row.GetDateTime(12),
        row.GetDateTime(13),
        row.GetDateTimeOrNull(14),
        row.GetDateTimeOrNull(15),
        row.GetDateTimeOrNull(16),
        !row.IsDBNull(17),
        row.GetInt32(18),
        row.GetInt32(19),
        row.GetDoubleOrNull(20),
        row.GetStringOrNull(21),
        row.GetStringOrNull(22),
        row.GetStringOrNull(27),
        row.GetJsonOrNull(23, TaskJson.Default.TaskError),
        row.IsDBNull(24)
            ? null
            : new TaskUsage(row.GetInt64(24), row.GetInt64(25), row.GetDecimalOrNull(26)),
        row.GetStringOrNull(28),
        row.GetInt32OrNull(29));

    /// <summary>Of the result the beginning, cut between characters as people see them: one more was read to know where that is.</summary>
    public static AgentTask ReadForList(NpgsqlDataReader row)
    {
        var task = Read(row);
        return task.Result is { Length: > 1024 } beginning && beginning.EnumerateRunes().Count() > 1024
            ? task with { Result = OutsideText.Cut(beginning, beginning.Length - 1) }
            : task;
    }
}
