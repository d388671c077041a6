using System.Text.Json;

namespace ViralEngine.Core.Webhooks;

public enum WebhookDeliveryStatus
{
    /// <summary>Waiting for its next attempt, or being sent.</summary>
    Pending,
    Delivered,

    /// <summary>Failed permanently: no attempt is left.</summary>
    Failed,
}

/// <summary>One message for one endpoint.</summary>
/// <param name="MessageId">The <c>webhook-id</c> of every attempt, by which receivers detect duplicates.</param>
/// <param name="Attempts">The number of finished attempts.</param>
/// <param name="NextAttemptAt">Null while the message is being sent, and while the endpoint is disabled.</param>
/// <param name="Request">The request of the last attempt, without the values of the endpoint's own headers.</param>
/// <param name="LastAttempt">The last finished attempt.</param>
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

/// <summary>One attempt and the receiver's response.</summary>
/// <param name="Error">Why there was no response.</param>
public sealed record WebhookAttemptLog(
    int Number,
    DateTime StartedAt,
    int DurationMs,
    WebhookResponse? Response,
    string? Error);

/// <param name="Body">The first 4 KiB of the response body.</param>
public sealed record WebhookResponse(int Status, JsonElement? Headers, string? Body);

/// <summary>A delivery with all finished attempts, in order.</summary>
public sealed record WebhookDeliveryDetails(WebhookDelivery Delivery, IReadOnlyList<WebhookAttemptLog> Attempts);

/// <summary>Which deliveries to list; null means any.</summary>
/// <param name="EventType">A type, or a kind as in <c>task.*</c>.</param>
public sealed record WebhookDeliveryFilter(
    WebhookDeliveryStatus? Status = null,
    string? EventType = null,
    DateTime? CreatedAfter = null,
    DateTime? CreatedBefore = null);
