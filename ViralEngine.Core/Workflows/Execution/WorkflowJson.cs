using System.Text.Json;
using System.Text.Json.Serialization;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>How the pieces of a workflow lie in the database.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StepError))]
[JsonSerializable(typeof(WebhookCall))]
[JsonSerializable(typeof(WebhookOutcome))]
[JsonSerializable(typeof(TaskOrigin))]
[JsonSerializable(typeof(StepRow[]))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(string))]
internal sealed partial class WorkflowJson : JsonSerializerContext;

/// <summary>A step's row on its way to the database.</summary>
internal sealed record StepRow(
    string StepId,
    string Kind,
    int Run,
    string Status,
    int Attempt,
    Guid? TaskId,
    int? Branch,
    string? Request,
    string? Output,
    StepError? Error,
    DateTime? DueAt,
    DateTime StartedAt,
    DateTime? CompletedAt,
    int? CompletedEvent);
