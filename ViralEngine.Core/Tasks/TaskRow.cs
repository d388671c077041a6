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
        answered_by, finish_reason, error::text, input_tokens, output_tokens, cost_usd, waiting_for,
        octet_length(result)
        """;

    public static AgentTask Read(NpgsqlDataReader row)
    {
        var columns = new ColumnCursor(row);
        return new AgentTask(
            columns.Guid(),
            AgentTaskStatuses.Parse(columns.String())!.Value,
            columns.String(),
            columns.String(),
            columns.JsonOrNull(),
            columns.Int16(),
            columns.Strings(),
            columns.JsonOrNull(),
            columns.Int32(),
            columns.Int16(),
            columns.DateTimeOrNull(),
            columns.String(),
            columns.DateTime(),
            columns.DateTime(),
            columns.DateTimeOrNull(),
            columns.DateTimeOrNull(),
            columns.DateTimeOrNull(),
            columns.DateTimeOrNull() is not null,
            columns.Int32(),
            columns.Int32(),
            columns.DoubleOrNull(),
            columns.StringOrNull(),
            columns.StringOrNull(),
            columns.StringOrNull(),
            columns.JsonOrNull(TaskJson.Default.TaskError),
            ReadUsage(ref columns),
            columns.StringOrNull(),
            columns.Int32OrNull());
    }

    /// <summary>Reads input_tokens, output_tokens and cost_usd.</summary>
    public static TaskUsage? ReadUsage(ref ColumnCursor columns)
    {
        var (input, output, cost) = (columns.Int64OrNull(), columns.Int64OrNull(), columns.DecimalOrNull());
        return input is null ? null : new TaskUsage(input.Value, output!.Value, cost);
    }

    /// <summary>
    /// Of the result the beginning, cut between characters as people see them: one more was read to know where that is.
    /// </summary>
    public static AgentTask ReadForList(NpgsqlDataReader row)
    {
        var task = Read(row);
        return task.Result is { Length: > 1024 } beginning && beginning.EnumerateRunes().Count() > 1024
            ? task with { Result = OutsideText.Cut(beginning, beginning.Length - 1) }
            : task;
    }
}
