using System.Text.Json;

namespace ViralEngine.Core.Webhooks;

public enum WebhookDeliveryStatus
{
    /// <summary>It waits for its next attempt, or is being sent.</summary>
    Pending,
    Delivered,

    /// <summary>Given up: no attempt is left.</summary>
    Failed,
}

/// <summary>A message on its way to one endpoint.</summary>
/// <param name="MessageId">The <c>webhook-id</c> of every attempt: receivers tell repetitions by it.</param>
/// <param name="Attempts">How many were begun.</param>
/// <param name="NextAttemptAt">None while it is being sent, and none while the endpoint is disabled.</param>
/// <param name="Request">The last attempt's, as sent; the values of the tenant's own headers are left out.</param>
/// <param name="LastAttempt">What came of it.</param>
public sealed record WebhookDelivery(
    Guid Id,
    string MessageId,
    string EventType,
    Guid SubjectId,
    WebhookDeliveryStatus Status,
    int Attempts,
    DateTime? NextAttemptAt,
    DateTime CreatedAt,
    DateTime? CompletedAt,
    WebhookRequest Request,
    WebhookAttemptLog? LastAttempt);

/// <param name="Body">The payload that is signed: <c>type</c>, <c>timestamp</c> and <c>data</c>.</param>
public sealed record WebhookRequest(JsonElement? Headers, string Body);

/// <summary>One attempt: when, how long it took, and what the receiver answered.</summary>
/// <param name="Error">Why there was no answer.</param>
public sealed record WebhookAttemptLog(
    int Number,
    DateTime StartedAt,
    int DurationMs,
    WebhookResponse? Response,
    string? Error);

/// <param name="Body">Its first 4 KiB.</param>
public sealed record WebhookResponse(int Status, JsonElement? Headers, string? Body);

/// <summary>A delivery with all attempts that have ended, in order.</summary>
public sealed record WebhookDeliveryDetails(WebhookDelivery Delivery, IReadOnlyList<WebhookAttemptLog> Attempts);

/// <summary>Which deliveries to list; null means any.</summary>
/// <param name="EventType">A type, or a kind as in <c>task.*</c>.</param>
public sealed record WebhookDeliveryFilter(
    WebhookDeliveryStatus? Status = null,
    string? EventType = null,
    DateTime? CreatedAfter = null,
    DateTime? CreatedBefore = null);
