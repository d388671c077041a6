using System.Text.Json;
using ViralEngine.Core.Events;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Console.Tasks;

/// <summary>One attempt of a task, as the task's events tell it.</summary>
/// <param name="StartedAt">Null if its start is not among the events.</param>
/// <param name="Outcome">The word of its end; null if no event tells one.</param>
/// <param name="By">Who cancelled it.</param>
/// <param name="NextAt">When the next attempt is due.</param>
public sealed record AttemptRow(
    int Number, DateTime? StartedAt, DateTime? EndedAt = null, string? Outcome = null, TaskError? Error = null,
    TaskUsage? Usage = null, string? By = null, DateTime? NextAt = null)
{
    /// <summary>The attempts of a history, in order.</summary>
    public static IReadOnlyList<AttemptRow> Of(IReadOnlyList<Event> history)
    {
        var rows = new List<AttemptRow>();
        string? cancelledBy = null;
        foreach (var happened in history)
        {
            if (happened.Type == EventTypes.TaskStarted)
            {
                // No event tells that the process of an attempt stopped.
                if (rows is [.., { EndedAt: null } lost])
                    rows[^1] = lost with { Outcome = "interrupted" };
                rows.Add(new AttemptRow(NumberIn(happened.Data) ?? rows.Count + 1, happened.CreatedAt));
            }
            else if (happened.Type == EventTypes.TaskCancelRequested)
            {
                cancelledBy = Member(happened.Data, "by")?.GetString();
            }
            else if (OutcomeOf(happened.Type) is { } outcome)
            {
                if (rows is [.., { EndedAt: null } open])
                    rows[^1] = open.EndedBy(happened, outcome, cancelledBy);
                // A task that is cancelled between attempts ends none of them.
                else if (happened.Type != EventTypes.TaskCancelled)
                    rows.Add(new AttemptRow(NumberIn(happened.Data) ?? rows.Count + 1, null)
                        .EndedBy(happened, outcome, null));
            }
        }

        return rows;
    }

    private AttemptRow EndedBy(Event end, string outcome, string? cancelledBy) => this with
    {
        EndedAt = end.CreatedAt,
        Outcome = outcome,
        Error = Member(end.Data, "error") is { } error ? ErrorOf(error) : null,
        Usage = Member(end.Data, "attempt_usage") is { } used ? UsageOf(used) : null,
        By = end.Type == EventTypes.TaskCancelled ? Member(end.Data, "by")?.GetString() ?? cancelledBy : null,
        NextAt = Member(end.Data, "next_attempt_at")?.GetDateTimeOffset().UtcDateTime,
    };

    private static string? OutcomeOf(string type) => type switch
    {
        EventTypes.TaskCompleted => "completed",
        EventTypes.TaskRetrying or EventTypes.TaskFailed => "failed",
        EventTypes.TaskCancelled => "cancelled",
        _ => null,
    };

    private static int? NumberIn(JsonElement data) =>
        (Member(data, "attempt") ?? (Member(data, "error") is { } error ? Member(error, "attempt") : null))?.GetInt32();

    private static TaskError ErrorOf(JsonElement error) => new(
        Member(error, "class")?.GetString() ?? "internal",
        Member(error, "message")?.GetString() ?? "",
        Member(error, "agent")?.GetString(),
        Member(error, "attempt")?.GetInt32() ?? 0);

    private static TaskUsage UsageOf(JsonElement used) => new(
        Member(used, "input_tokens")?.GetInt64() ?? 0,
        Member(used, "output_tokens")?.GetInt64() ?? 0,
        Member(used, "cost_usd")?.GetDecimal());

    private static JsonElement? Member(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value)
        && value.ValueKind != JsonValueKind.Null
            ? value
            : null;
}
