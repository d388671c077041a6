using System.Text.Json.Serialization;

namespace ViralEngine.Core.Webhooks;

/// <summary>Whether messages about the same object may overtake each other.</summary>
public enum WebhookOrdering
{
    /// <summary>Each message goes out as soon as it can.</summary>
    None,

    /// <summary>A message waits until the one before about the same task, batch or workflow is delivered or given up.</summary>
    PerObject,
}

/// <summary>Why an endpoint gets no messages.</summary>
public enum WebhookDisabledReason
{
    /// <summary>Somebody switched it off.</summary>
    User,

    /// <summary>It answered 410.</summary>
    Gone,

    /// <summary>It had only failed for days.</summary>
    Failing,
}

/// <summary>Where a tenant wants to be told what happens. Its secrets and the values of its headers are never shown again.</summary>
/// <param name="EventTypes">Such as <c>task.completed</c>, <c>task.*</c> or <c>*</c>.</param>
/// <param name="RateLimit">The most messages a second; null: as many as there are.</param>
/// <param name="HeaderNames">Of the headers that are sent along.</param>
/// <param name="FailingSince">The first failure since the last success.</param>
public sealed record WebhookEndpoint(
    Guid Id,
    string Url,
    string? Description,
    IReadOnlyList<string> EventTypes,
    WebhookOrdering Ordering,
    int? RateLimit,
    IReadOnlyList<string> HeaderNames,
    bool Enabled,
    WebhookDisabledReason? DisabledReason,
    DateTime? DisabledAt,
    DateTime? FailingSince,
    string CreatedBy,
    DateTime CreatedAt,
    DateTime UpdatedAt)
{
    /// <summary>What its messages are signed with. Shown this once, in the answer to its creation.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Secret { get; init; }
}

/// <summary>What a user asks for, checked.</summary>
public sealed record NewWebhookEndpoint(
    string Url,
    string? Description,
    string[] EventTypes,
    WebhookOrdering Ordering,
    int? RateLimit,
    IReadOnlyDictionary<string, string> Headers,
    bool Enabled,
    string CreatedBy);

/// <summary>What to change; null leaves as it is.</summary>
/// <param name="RateLimit">0 takes the limit away.</param>
/// <param name="Headers">Replaces all of them.</param>
public sealed record WebhookChange(
    string? Url,
    string? Description,
    string[]? EventTypes,
    WebhookOrdering? Ordering,
    int? RateLimit,
    IReadOnlyDictionary<string, string>? Headers,
    bool? Enabled);
