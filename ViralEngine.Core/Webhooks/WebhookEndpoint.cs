using System.Text.Json.Serialization;

namespace ViralEngine.Core.Webhooks;

/// <summary>Whether messages about the same object may overtake each other.</summary>
public enum WebhookOrdering
{
    /// <summary>Each message is sent as soon as possible.</summary>
    None,

    /// <summary>
    /// A message waits until the previous one about the same task, batch or workflow is delivered or has failed
    /// permanently.
    /// </summary>
    PerObject,
}

/// <summary>Why an endpoint is disabled.</summary>
public enum WebhookDisabledReason
{
    /// <summary>A person or key disabled it.</summary>
    User,

    /// <summary>It answered 410.</summary>
    Gone,

    /// <summary>It failed for days without a success.</summary>
    Failing,
}

/// <summary>
/// A URL that receives the messages an organization subscribes to. Its secrets and header values are never shown.
/// </summary>
/// <param name="EventTypes">Such as <c>task.completed</c>, <c>task.*</c> or <c>*</c>.</param>
/// <param name="RateLimit">The maximum number of messages per second; null for no limit.</param>
/// <param name="HeaderNames">The names of the headers added to each message.</param>
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
    /// <summary>The signing secret. Shown only in the response that creates the endpoint.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Secret { get; init; }
}

/// <summary>A checked request for an endpoint.</summary>
public sealed record NewWebhookEndpoint(
    string Url,
    string? Description,
    string[] EventTypes,
    WebhookOrdering Ordering,
    int? RateLimit,
    IReadOnlyDictionary<string, string> Headers,
    bool Enabled,
    string CreatedBy);

/// <summary>A change of an endpoint; null members are kept.</summary>
/// <param name="RateLimit">0 removes the limit.</param>
/// <param name="Headers">Replaces all headers.</param>
public sealed record WebhookChange(
    string? Url,
    string? Description,
    string[]? EventTypes,
    WebhookOrdering? Ordering,
    int? RateLimit,
    IReadOnlyDictionary<string, string>? Headers,
    bool? Enabled);
