using System.Diagnostics;
using System.Text.Json;

namespace ViralEngine.Core.Tasks;

/// <summary>One piece of work for an agent. Times are UTC.</summary>
/// <param name="AgentId">The name of a built-in agent, or the id of one of the organization's agents.</param>
/// <param name="Priority">0 to 9; waiting tasks with a higher priority start first.</param>
/// <param name="Attempt">The number of the current or last attempt, 0 before the first. Waiting is not an
/// attempt.</param>
/// <param name="Progress">0 to 1, if the agent reports it.</param>
/// <param name="Result">The answer. In lists only its first 1,024 characters.</param>
/// <param name="ResultBytes">The size of the whole result in UTF-8. <c>/api/tasks/{id}/result</c> streams it.</param>
/// <param name="WaitingFor"> What the task waits for, without using an attempt: <c>provider</c> (it is failing or asked
/// for a pause),
/// <c>limit</c> (requests, tokens or concurrent calls), <c>budget</c> (running calls have reserved the rest),
/// <c>memory</c>, or
/// <c>alert</c> (an alert has paused the agent). </param>
/// <param name="AnsweredBy">The agent that answered: the task's agent or one of its fallbacks.</param>
/// <param name="FinishReason"> Why the answer ended, if the provider says so: <c>stop</c>, <c>length</c> (a token
/// limit: the answer is incomplete), <c>refusal</c> (the result is what the model said instead), or another word of the
/// provider. </param>
/// <param name="Usage">The sum of all attempts, including failed ones.</param>
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
    string? FinishReason,
    TaskError? Error,
    TaskUsage? Usage,
    string? WaitingFor,
    int? ResultBytes = null);

/// <summary>Why a task failed or is being retried.</summary>
/// <param name="Class">The class of the error, which decides whether it is retried: <c>rate_limited</c>,
/// <c>timeout</c>, …</param>
/// <param name="Message">What happened, for the user.</param>
/// <param name="Agent">The agent that failed last.</param>
public sealed record TaskError(string Class, string Message, string? Agent, int Attempt);

/// <param name="CostUsd">By the agent's price or the price table; null if neither has a price for the model.</param>
public sealed record TaskUsage(long InputTokens, long OutputTokens, decimal? CostUsd);

/// <summary>A checked request for a task.</summary>
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
    /// <summary>The plan's tasks per month; 0 for no limit.</summary>
    public long MaxPerMonth { get; init; }

    /// <summary>The workflow whose step waits for the task, if any.</summary>
    public TaskWorkflow? Workflow { get; init; }

    /// <summary>The trace that its attempts belong to, if it is recorded.</summary>
    internal string? TraceParent { get; } = Activity.Current is { Recorded: true } current ? current.Id : null;

    /// <summary>The task as it is right after it was stored.</summary>
    internal AgentTask Stored(DateTime createdAt) => new(
        Id, AgentTaskStatus.Pending, AgentId, Description, Parse(InputJson), Priority, Tags, Parse(MetadataJson),
        TimeoutSeconds, MaxAttempts, ScheduledAt, CreatedBy, createdAt, createdAt, StartedAt: null, CompletedAt: null,
        NextAttemptAt: null, CancelRequested: false, Attempt: 0, FailedAttempts: 0, Progress: null, Result: null,
        AnsweredBy: null, FinishReason: null, Error: null, Usage: null, WaitingFor: null);

    private static JsonElement? Parse(string? json) => json is null ? null : JsonElement.Parse(json);
}
