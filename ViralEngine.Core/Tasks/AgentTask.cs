using System.Text.Json;

namespace ViralEngine.Core.Tasks;

/// <summary>One piece of work for an agent, as the API shows it. Times are UTC.</summary>
/// <param name="AgentId">A built-in agent's name or the id of one of the tenant's.</param>
/// <param name="Priority">0 to 9, higher first among what waits.</param>
/// <param name="Attempt">How often a worker has taken the task up; the number is the lease's fencing token.</param>
/// <param name="Progress">0 to 1, where the agent tells it.</param>
/// <param name="AnsweredBy">The agent whose answer this is: a fallback's name when the first could not.</param>
public sealed record AgentTask(
    Guid Id,
    AgentTaskStatus Status,
    string AgentId,
    string Description,
    JsonElement? Input,
    int Priority,
    IReadOnlyList<string> Tags,
    JsonElement? Metadata,
    int TimeoutSeconds,
    int MaxAttempts,
    DateTime? ScheduledAt,
    string CreatedBy,
    DateTime CreatedAt,
    DateTime UpdatedAt,
    DateTime? StartedAt,
    DateTime? CompletedAt,
    DateTime? NextAttemptAt,
    bool CancelRequested,
    int Attempt,
    int FailedAttempts,
    double? Progress,
    string? Result,
    string? AnsweredBy,
    TaskError? Error,
    TaskUsage? Usage);

/// <summary>Why a task failed or is being retried.</summary>
/// <param name="Class">The kind of trouble, which decides whether it is retried: <c>rate_limited</c>, <c>timeout</c>, …</param>
/// <param name="Message">What happened, for the user.</param>
/// <param name="Agent">The agent that failed last.</param>
public sealed record TaskError(string Class, string Message, string? Agent, int Attempt);

/// <param name="CostUsd">By the agent's price or the price table; none where neither knows the model.</param>
public sealed record TaskUsage(long InputTokens, long OutputTokens, decimal? CostUsd);

/// <summary>What a user asks for, checked.</summary>
public sealed record NewTask(
    Guid Id,
    string AgentId,
    string Description,
    string? InputJson,
    int Priority,
    string[] Tags,
    string? MetadataJson,
    int TimeoutSeconds,
    int MaxAttempts,
    DateTime? ScheduledAt,
    string CreatedBy)
{
    /// <summary>How many tasks the plan allows in a month; 0: any number.</summary>
    public long MostPerMonth { get; init; }

    /// <summary>The task as it stands right after it was stored.</summary>
    internal AgentTask Stored(DateTime createdAt) => new(
        Id, AgentTaskStatus.Pending, AgentId, Description, Parse(InputJson), Priority, Tags, Parse(MetadataJson),
        TimeoutSeconds, MaxAttempts, ScheduledAt, CreatedBy, createdAt, createdAt, StartedAt: null, CompletedAt: null,
        NextAttemptAt: null, CancelRequested: false, Attempt: 0, FailedAttempts: 0, Progress: null, Result: null,
        AnsweredBy: null, Error: null, Usage: null);

    private static JsonElement? Parse(string? json) => json is null ? null : JsonElement.Parse(json);
}
