using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>A leased delivery, with what its holder needs for one attempt.</summary>
/// <param name="Attempt">The attempt number and fencing token: a holder with an outdated number changes
/// nothing.</param>
/// <param name="Tries">The number of failed attempts since the message was queued.</param>
/// <param name="Headers">Encrypted, if there are any.</param>
/// <param name="Secrets">The valid secrets, encrypted, the current one first.</param>
/// <param name="Proven">Whether the endpoint is known to respond quickly.</param>
internal sealed record ClaimedDelivery(
    TenantId Tenant,
    Guid Id,
    int Attempt,
    int Tries,
    string Url,
    byte[]? Headers,
    IReadOnlyList<byte[]> Secrets,
    Guid MessageId,
    string Payload,
    bool Proven = false);

/// <summary>The outcome of an attempt.</summary>
/// <param name="RequestHeaders">As sent, without the values of the tenant's headers.</param>
/// <param name="ResponseBody">The beginning of the body.</param>
/// <param name="Error">Why there was no response, for the user.</param>
internal sealed record WebhookAttempt(
    DateTime StartedAt,
    TimeSpan Duration,
    IReadOnlyDictionary<string, string> RequestHeaders,
    int? ResponseStatus,
    IReadOnlyDictionary<string, string>? ResponseHeaders,
    string? ResponseBody,
    string? Error,
    TimeSpan? RetryAfter)
{
    public bool Succeeded => ResponseStatus is >= 200 and <= 299;

    /// <summary>The receiver permanently rejects messages.</summary>
    public bool Gone => ResponseStatus == 410;
}
