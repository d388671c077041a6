using System.Text.Json;
using System.Text.Json.Serialization;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>The JSON of workflows in the database.</summary>
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

/// <summary>A step's row to be stored.</summary>
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
