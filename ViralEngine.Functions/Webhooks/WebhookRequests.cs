using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Webhooks;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Webhooks;

internal sealed record CreateWebhookRequest
{
    [Required, StringLength(UrlPolicy.MaxLength, MinimumLength = 1)]
    [Description(
        "The URL to POST messages to. Private, loopback and metadata addresses are rejected; "
        + "redirects are not followed.")]
    public string Url { get; init; } = "";

    [StringLength(500)]
    public string? Description { get; init; }

    [MinLength(1, ErrorMessage = "Must have at least one."), MaxLength(100, ErrorMessage = "Must have at most 100.")]
    [EventTypePatterns]
    [Description(
        "The events to receive: * for all, task.* for a kind, task.completed for one type. "
        + "Kinds: task, batch, workflow, approval, alert, webhook.")]
    public string[] EventTypes { get; init; } = ["*"];

    [Description(
        "per_object: a message waits until the previous message about the same object is delivered "
        + "or has failed for good.")]
    public WebhookOrdering Ordering { get; init; }

    [Range(1, 1000)]
    [Description("The maximum number of messages per second; by default no limit.")]
    public int? RateLimit { get; init; }

    [Description("Headers to add to each message, at most 20. Their values are stored encrypted and never shown.")]
    public Dictionary<string, string> Headers { get; init; } = [];

    public bool Enabled { get; init; } = true;

    [StringLength(128), WebhookSecretText]
    [Description("Your own signing secret: whsec_ and base64 of 24 to 64 random bytes. Generated if omitted.")]
    public string? Secret { get; init; }

    public NewWebhookEndpoint ToEndpoint(UrlPolicy urls, string principal)
    {
        var errors = new FieldErrors();
        WebhookRules.CheckUrl(Url, urls, errors);
        WebhookRules.CheckHeaders(Headers, errors);
        errors.ThrowIfAny();
        return new(Url, Description, [.. EventTypes.Distinct()], Ordering, RateLimit, Headers, Enabled, principal);
    }
}

/// <summary>A JSON merge patch (RFC 7396): omitted fields are kept, and null resets a field to its default.</summary>
internal sealed record ChangeWebhookRequest
{
    [StringLength(UrlPolicy.MaxLength, MinimumLength = 1), NeverNull]
    public string? Url { get; init; }

    [StringLength(500)]
    public string? Description { get; init; }

    [MinLength(1, ErrorMessage = "Must have at least one."), MaxLength(100, ErrorMessage = "Must have at most 100.")]
    [EventTypePatterns]
    public string[]? EventTypes { get; init; }

    public WebhookOrdering? Ordering { get; init; }

    [Range(1, 1000)]
    public int? RateLimit { get; init; }

    [Description("Replaces all headers.")]
    public Dictionary<string, string>? Headers { get; init; }

    [Description(
        "Messages waiting for a disabled endpoint are held until it is enabled again; new events are not kept for it.")]
    public bool? Enabled { get; init; }

    public WebhookChange ToChange(JsonElement body, UrlPolicy urls)
    {
        var errors = new FieldErrors();
        if (Url is not null)
            WebhookRules.CheckUrl(Url, urls, errors);
        if (Headers is not null)
            WebhookRules.CheckHeaders(Headers, errors);
        errors.ThrowIfAny();
        return new(
            Url, IsNull(body, "description") ? "" : Description,
            IsNull(body, "event_types") ? ["*"] : EventTypes?.Distinct().ToArray(),
            IsNull(body, "ordering") ? WebhookOrdering.None : Ordering,
            IsNull(body, "rate_limit") ? 0 : RateLimit, IsNull(body, "headers") ? new() : Headers,
            IsNull(body, "enabled") ? true : Enabled);
    }

    private static bool IsNull(JsonElement body, string field) =>
        body.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Null;
}

internal sealed record RotateSecretRequest
{
    [Range(0.0, 168.0)]
    [Description("How long messages are signed with the old secret, too, in hours.")]
    public double OverlapHours { get; init; } = 24;

    [StringLength(128), WebhookSecretText]
    [Description("Your own signing secret: whsec_ and base64 of 24 to 64 random bytes. Generated if omitted.")]
    public string? Secret { get; init; }
}

internal sealed record DeliveryListQuery : PageQuery
{
    public WebhookDeliveryStatus? Status { get; init; }

    [StringLength(100), Description("A type, or a kind such as task.*")]
    public string? EventType { get; init; }

    public DateTime? CreatedAfter { get; init; }

    public DateTime? CreatedBefore { get; init; }
}

internal sealed record RecoverQuery
{
    [Description("The start of the range. Messages queued since then that failed for good are queued again.")]
    public DateTime? Since { get; init; }

    [Description("The end of the range, exclusive: a time after since; by default now.")]
    public DateTime? Until { get; init; }
}

internal sealed record WebhookListQuery : PageQuery;

internal sealed record WebhookPage(IReadOnlyList<WebhookEndpoint> Webhooks, string? NextCursor);

internal sealed record DeliveryPage(IReadOnlyList<WebhookDelivery> Deliveries, string? NextCursor);

/// <param name="Secret">The new secret. Shown only in this response.</param>
/// <param name="OldSecretsEndAt">Until then, messages are also signed with the old secrets.</param>
internal sealed record RotatedSecret(string Secret, DateTime OldSecretsEndAt);

/// <param name="Queued">The number of deliveries queued.</param>
internal sealed record Recovered(int Queued);
