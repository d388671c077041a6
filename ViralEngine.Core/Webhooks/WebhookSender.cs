using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// Makes one attempt: signs, POSTs through the guarded client, and returns the outcome. Only 2xx is a success;
/// redirects are not followed.
/// </summary>
internal sealed class WebhookSender(
    OutgoingHttp outgoing, SecretBox box, IOptions<WebhooksOptions> options, TimeProvider time)
{
    private const int MaxBodyBytes = 4096;
    private const int MaxHeaderCharacters = 4096;
    private const string Redacted = "[redacted]";

    /// <exception cref="OperationCanceledException">The process is stopping.</exception>
    public async Task<WebhookAttempt> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        var startedAt = time.GetUtcNow();
        var started = time.GetTimestamp();
        HttpRequestMessage request;
        Dictionary<string, string> sent;
        try
        {
            (request, sent) = Request(delivery, startedAt);
        }
        catch (CryptographicException)
        {
            return Unsent(
                "The endpoint's secrets cannot be decrypted. Rotate the secret and set the headers again.", []);
        }

        using var disposing = request;
        using var clock = new CancellationTokenSource(TimeSpan.FromSeconds(options.Value.TimeoutSeconds), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, clock.Token);
        try
        {
            using var response = await outgoing.Client.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            var body = await BeginningAsync(response, both.Token);
            ct.ThrowIfCancellationRequested();
            return new WebhookAttempt(
                startedAt.UtcDateTime, time.GetElapsedTime(started), sent, (int)response.StatusCode, Headers(response),
                body,
                Error: null, RetryAfter(response));
        }
        catch (Exception e) when (!ct.IsCancellationRequested && Explain(e, clock.IsCancellationRequested) is { } error)
        {
            return Unsent(error, sent);
        }

        WebhookAttempt Unsent(string error, Dictionary<string, string> headers) => new(
            startedAt.UtcDateTime, time.GetElapsedTime(started), headers, null, null, null, error, RetryAfter: null);
    }

    /// <summary>The request, and its headers for display.</summary>
    private (HttpRequestMessage Request, Dictionary<string, string> Shown) Request(
        ClaimedDelivery delivery, DateTimeOffset at)
    {
        var secrets = delivery.Secrets.Select(
            secret => box.Open(delivery.Tenant.Value, WebhookStore.SecretPurpose, secret));
        var own = WebhookHeaders.Open(box, delivery.Tenant, delivery.Headers);
        var messageId = WebhookMessageId.ToText(delivery.MessageId);
        var request = new HttpRequestMessage(HttpMethod.Post, delivery.Url)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(delivery.Payload)),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        request.Headers.TryAddWithoutValidation("User-Agent", "ViralEngine-Webhooks/1.0");
        request.Headers.TryAddWithoutValidation(WebhookSignature.IdHeader, messageId);
        request.Headers.TryAddWithoutValidation(
            WebhookSignature.TimestampHeader, at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation(
            WebhookSignature.SignatureHeader, WebhookSignature.Sign(secrets, messageId, at, delivery.Payload));
        foreach (var (name, value) in own)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content.Headers.TryAddWithoutValidation(name, value);
        }

        // Only the beginning is read.
        OutgoingHttp.LimitResponse(request, long.MaxValue);
        return (request, request.Headers.Concat(request.Content.Headers).ToDictionary(
            header => header.Key, header => own.ContainsKey(header.Key) ? Redacted : string.Join(", ", header.Value)));
    }

    /// <summary>The body is only for the log: the status has already decided, so an endless one does no harm.</summary>
    private static async Task<string> BeginningAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var bytes = new byte[MaxBodyBytes];
        var length = 0;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(ct);
            length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            return "";
        }

        return OutsideText.Of(bytes.AsSpan(0, length));
    }

    private static Dictionary<string, string> Headers(HttpResponseMessage response)
    {
        var headers = new Dictionary<string, string>();
        var room = MaxHeaderCharacters;
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
        {
            var value = OutsideText.Of(string.Join(", ", values));
            room -= name.Length + value.Length;
            if (room < 0)
                break;
            headers[name] = value;
        }

        return headers;
    }

    /// <summary>
    /// RFC 9110, section 10.2.3: seconds or a date. Honoured for 429 and 503, which are about the receiver's load.
    /// </summary>
    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        if (response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable))
            return null;
        return RetryAfterHeader.Of(response, time.GetUtcNow()) is { Ticks: > 0 } asked ? asked : null;
    }

    private string? Explain(Exception e, bool late)
    {
        if (late || e is OperationCanceledException)
            return $"No response within {options.Value.TimeoutSeconds} s.";
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is OutgoingRefusedException)
                return "The URL points to an address that outgoing calls must not reach.";
        }

        return e is HttpRequestException failed
            ? failed.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => "The host name cannot be resolved.",
                HttpRequestError.ConnectionError => "The connection to the host failed.",
                HttpRequestError.SecureConnectionError => "The TLS connection failed: check the certificate.",
                HttpRequestError.InvalidResponse => "The response is not HTTP.",
                _ => "The connection was closed without a response.",
            }
            : e is IOException ? "The connection was lost." : null;
    }
}
