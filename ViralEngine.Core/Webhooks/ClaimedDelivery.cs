using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>A delivery under lease, with all that its holder needs for one attempt.</summary>
/// <param name="Attempt">Its number, and the fencing token: a holder whose number is not the row's any more changes nothing.</param>
/// <param name="Tries">Those that failed before, since the message was queued.</param>
/// <param name="Headers">Sealed, if there are any.</param>
/// <param name="Secrets">That hold at the moment, sealed, the current one first.</param>
/// <param name="Proven">Whether the endpoint is known to answer quickly.</param>
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

/// <summary>What came of an attempt.</summary>
/// <param name="RequestHeaders">As sent, without the values of the tenant's own headers.</param>
/// <param name="ResponseBody">Its beginning.</param>
/// <param name="Error">Why there was no answer, for the user.</param>
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

    /// <summary>The receiver says that it wants no more messages, ever.</summary>
    public bool Gone => ResponseStatus == 410;
}
