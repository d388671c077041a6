using System.Text.Json;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>A step's row during an advance.</summary>
internal sealed class StepRun
{
    public required string StepId { get; init; }

    public required StepKind Kind { get; init; }

    public required int Run { get; init; }

    public required DateTime StartedAt { get; init; }

    public StepStatus Status { get; set; }

    public int Attempt { get; set; } = 1;

    public Guid? TaskId { get; set; }

    /// <summary>The branch a choice took.</summary>
    public int? Branch { get; set; }

    /// <summary>The rendered HTTP call to make.</summary>
    public string? Request { get; set; }

    /// <summary>The outcome of the call.</summary>
    public JsonElement? Result { get; set; }

    /// <summary>The output set in this turn; earlier outputs are loaded on demand.</summary>
    public string? NewOutput { get; set; }

    public StepError? Error { get; set; }

    public DateTime? DueAt { get; set; }

    public DateTime? CompletedAt { get; set; }

    public int? CompletedEvent { get; set; }

    /// <summary>Whether the turn changed it.</summary>
    public bool Changed { get; set; }
}

/// <summary>The state of a step's task.</summary>
internal sealed record TaskOutcome(Tasks.AgentTaskStatus Status, Tasks.TaskError? Error);

/// <summary>A step's rendered HTTP call.</summary>
public sealed record WebhookCall(
    string Method, string Url, IReadOnlyDictionary<string, string> Headers, string? Body, int TimeoutSeconds);

/// <summary>The outcome of a call: an output, or an error with an optional Retry-After.</summary>
public sealed record WebhookOutcome(
    JsonElement? Output, string? ErrorClass, string? Message, double? RetryAfterSeconds);
