using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.DurableTask.Protobuf;

namespace ViralEngine.LocalHost.Durable;

/// <summary>What an event in a history or an inbox says. The numbers are stored: never reuse one.</summary>
internal enum EventKind
{
    StepStarted = 1,
    TaskScheduled = 2,
    TaskCompleted = 3,
    TaskFailed = 4,
    TimerCreated = 5,
    TimerFired = 6,
    SubOrchestrationCreated = 7,
    SubOrchestrationCompleted = 8,
    SubOrchestrationFailed = 9,
    EventSent = 10,
    EventRaised = 11,
    Suspend = 12,
    Resume = 13,
    Terminate = 14,
}

/// <summary>One thing that an orchestration did or that happened to it.</summary>
internal sealed record StoredEvent
{
    [JsonPropertyName("k")]
    public EventKind Kind { get; init; }

    /// <summary>Sequence number of the call this is about.</summary>
    [JsonPropertyName("i")]
    public int Id { get; init; }

    /// <summary>Of the activity, the sub-orchestration or the external event.</summary>
    [JsonPropertyName("n")]
    public string? Name { get; init; }

    /// <summary>The other instance: a sub-orchestration, or the receiver of an event.</summary>
    [JsonPropertyName("o")]
    public string? InstanceId { get; init; }

    /// <summary>A result, a payload or a reason, as JSON.</summary>
    [JsonPropertyName("d")]
    public string? Data { get; init; }

    /// <summary>When the step began, or when the timer is due; UTC.</summary>
    [JsonPropertyName("t")]
    public DateTime? Time { get; init; }

    [JsonPropertyName("f")]
    public FailureRecord? Failure { get; init; }

    [JsonPropertyName("r")]
    public bool Recursive { get; init; }
}

/// <summary>A failure as it is stored.</summary>
internal sealed record FailureRecord(
    [property: JsonPropertyName("t")] string Type,
    [property: JsonPropertyName("m")] string Message,
    [property: JsonPropertyName("s")] string? StackTrace,
    [property: JsonPropertyName("i")] FailureRecord? Inner,
    [property: JsonPropertyName("x")] bool IsFinal = false)
{
    public static FailureRecord From(Exception exception) => new(
        exception.GetType().FullName!,
        exception.Message,
        exception.StackTrace,
        exception.InnerException is { } inner ? From(inner) : null);

    public static FailureRecord From(TaskFailureDetails details) => new(
        details.ErrorType,
        details.ErrorMessage,
        details.StackTrace,
        details.InnerFailure is { } inner ? From(inner) : null,
        details.IsNonRetriable);

    public TaskFailureDetails ToDetails() => new()
    {
        ErrorType = Type,
        ErrorMessage = Message,
        StackTrace = StackTrace,
        InnerFailure = Inner?.ToDetails(),
        IsNonRetriable = IsFinal,
    };
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(StoredEvent))]
[JsonSerializable(typeof(List<StoredEvent>))]
[JsonSerializable(typeof(FailureRecord))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class DurableJson : JsonSerializerContext
{
    public static string Write(StoredEvent value) => JsonSerializer.Serialize(value, Default.StoredEvent);

    public static string Write(List<StoredEvent> value) => JsonSerializer.Serialize(value, Default.ListStoredEvent);

    public static string? Write(FailureRecord? value) =>
        value is null ? null : JsonSerializer.Serialize(value, Default.FailureRecord);

    public static StoredEvent ReadEvent(string json) => JsonSerializer.Deserialize(json, Default.StoredEvent)!;

    public static List<StoredEvent> ReadStep(string json) =>
        JsonSerializer.Deserialize(json, Default.ListStoredEvent)!;

    public static FailureRecord? ReadFailure(string? json) =>
        json is null ? null : JsonSerializer.Deserialize(json, Default.FailureRecord);
}
