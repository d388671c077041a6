using System.Text.Json;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>A step's row while a turn works on it.</summary>
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

    /// <summary>An HTTP call to be made, rendered.</summary>
    public string? Request { get; set; }

    /// <summary>What came of the call, told by whoever made it.</summary>
    public JsonElement? Result { get; set; }

    /// <summary>Only when this turn set it: outputs of before are loaded where they are used.</summary>
    public string? NewOutput { get; set; }

    public StepError? Error { get; set; }

    public DateTime? DueAt { get; set; }

    public DateTime? CompletedAt { get; set; }

    public int? CompletedEvent { get; set; }

    /// <summary>Whether the turn changed it.</summary>
    public bool Changed { get; set; }
}

/// <summary>What a turn needs to know of a task that a step made.</summary>
internal sealed record TaskOutcome(Tasks.AgentTaskStatus Status, Tasks.TaskError? Error);

/// <summary>An HTTP call that a step makes, with its values in it.</summary>
public sealed record WebhookCall(
    string Method, string Url, IReadOnlyDictionary<string, string> Headers, string? Body, int TimeoutSeconds);

/// <summary>What came of a call: an output, or an error and perhaps when the receiver wants to be asked again.</summary>
public sealed record WebhookOutcome(JsonElement? Output, string? ErrorClass, string? Message, double? RetryAfterSeconds);
