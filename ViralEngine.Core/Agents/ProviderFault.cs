using System.ClientModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>Turns what a call can fail with into an <see cref="AgentException"/> in words that a user understands.</summary>
internal static class ProviderFault
{
    private const int MaxExcerpt = 300;
    private const int MaxErrorBytes = 64 * 1024;
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromDays(1);

    /// <returns>Null when it is none of the provider's faults.</returns>
    public static AgentException? From(Exception failure, AgentCall call, DateTimeOffset now)
    {
        var label = call.Agent.Settings.Label(call);
        for (var e = failure; e is not null; e = e.InnerException)
        {
            var fault = e switch
            {
                AgentException known => known,
                OutgoingRefusedException => new AgentException(
                    ErrorClass.Refused, $"{label} is not an address that outgoing calls may reach.", inner: failure),
                ResponseTooLargeException => new AgentException(
                    ErrorClass.TooLarge, $"{label} sent a larger answer than is allowed.", inner: failure),
                ClientResultException { Status: > 0 } answered => FromAnswer(answered, call, now),
                HttpRequestException or HttpIOException or SocketException when e.InnerException is null or SocketException =>
                    FromConnection(e, label, failure),
                JsonException or InvalidDataException or FormatException => new AgentException(
                    ErrorClass.Malformed, $"{label} sent an answer that cannot be read.", inner: failure),
                _ => null,
            };
            if (fault is not null)
                return fault;
        }

        return failure switch
        {
            ClientResultException { InnerException: HttpRequestException inner } => FromConnection(inner, label, failure),
            HttpRequestException => FromConnection(failure, label, failure),
            IOException or ClientResultException => BrokenOff(label, failure),
            // What the OpenAI client throws at JSON of another shape than the protocol's.
            InvalidOperationException or ArgumentException or KeyNotFoundException => new AgentException(
                ErrorClass.Malformed, $"{label} sent an answer that cannot be read.", inner: failure),
            _ => null,
        };
    }

    public static async Task<AgentException> FromAnswerAsync(
        HttpResponseMessage response, AgentCall call, DateTimeOffset now, CancellationToken ct)
    {
        var text = "";
        if (response.Content.Headers.ContentLength is null or <= MaxErrorBytes)
        {
            await using var body = await response.Content.ReadAsStreamAsync(ct);
            var buffer = new byte[MaxErrorBytes];
            var read = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
            text = ErrorTextOf(buffer.AsMemory(0, read));
        }

        response.Headers.TryGetValues("Retry-After", out var retryAfter);
        return FromStatus((int)response.StatusCode, retryAfter?.FirstOrDefault(), text, call, now, inner: null);
    }

    /// <summary>The beginning of a provider's words, on one line.</summary>
    public static string Excerpt(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        line = new string([.. line.Where(c => !char.IsControl(c))]);
        return line.Length <= MaxExcerpt ? line : string.Concat(line.AsSpan(0, MaxExcerpt), "…");
    }

    private static AgentException FromAnswer(ClientResultException e, AgentCall call, DateTimeOffset now)
    {
        var response = e.GetRawResponse();
        string? retryAfter = null;
        response?.Headers.TryGetValue("Retry-After", out retryAfter);
        return FromStatus(e.Status, retryAfter, ErrorTextOf(response?.Content.ToMemory() ?? default), call, now, e);
    }

    private static AgentException FromStatus(
        int status, string? retryAfterHeader, string text, AgentCall call, DateTimeOffset now, Exception? inner)
    {
        var errorClass = status switch
        {
            401 or 403 => ErrorClass.Unauthorized,
            408 => ErrorClass.Timeout,
            429 => ErrorClass.RateLimited,
            413 => ErrorClass.TooLarge,
            409 or 425 or >= 500 => ErrorClass.Unavailable,
            _ => ErrorClass.InvalidRequest,
        };
        var retryAfter = errorClass is ErrorClass.RateLimited or ErrorClass.Unavailable
            ? RetryAfterOf(retryAfterHeader, now)
            : null;

        var label = call.Agent.Settings.Label(call);
        using var standard = new HttpResponseMessage((HttpStatusCode)status);
        var message = $"{label} answered {status} {standard.ReasonPhrase}".TrimEnd();
        if (status is >= 300 and < 400)
            message += "; redirects are not followed";
        if (retryAfter is { } wait)
            message += string.Create(CultureInfo.InvariantCulture, $"; retry after {Math.Ceiling(wait.TotalSeconds)} s");
        // Providers quote the key in what they say about it.
        if (errorClass == ErrorClass.InvalidRequest && text.Length > 0)
            message += $": {Excerpt(WithoutSecrets(text, call.Agent))}";
        return new AgentException(errorClass, message.EndsWith('.') ? message : message + ".", retryAfter, inner);
    }

    private static AgentException FromConnection(Exception e, string label, Exception failure)
    {
        var error = (e as HttpRequestException)?.HttpRequestError ?? (e as HttpIOException)?.HttpRequestError;
        var socket = (e as SocketException ?? e.InnerException as SocketException)?.SocketErrorCode;
        return (error, socket) switch
        {
            (HttpRequestError.NameResolutionError, _)
                or (_, SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain) =>
                Unavailable($"{label} has no address: its name does not resolve."),
            (_, SocketError.ConnectionRefused) => Unavailable($"{label} refused the connection."),
            (HttpRequestError.SecureConnectionError, _) => Unavailable($"{label} could not be reached: no secure connection."),
            (HttpRequestError.ConnectionError, _) => Unavailable($"{label} could not be reached."),
            (HttpRequestError.ConfigurationLimitExceeded, _) =>
                new AgentException(ErrorClass.TooLarge, $"{label} sent larger headers than are allowed.", inner: failure),
            (HttpRequestError.InvalidResponse, _) =>
                new AgentException(ErrorClass.Malformed, $"{label} sent an answer that is not HTTP.", inner: failure),
            _ => BrokenOff(label, failure),
        };

        AgentException Unavailable(string message) => new(ErrorClass.Unavailable, message, inner: failure);
    }

    private static AgentException BrokenOff(string label, Exception failure) =>
        new(ErrorClass.Unavailable, $"{label} broke off its answer before the end.", inner: failure);

    // RFC 9110, section 10.2.3: seconds or a date.
    private static TimeSpan? RetryAfterOf(string? header, DateTimeOffset now)
    {
        TimeSpan wait;
        if (long.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            wait = TimeSpan.FromSeconds(Math.Min(seconds, (long)LongestRetryAfter.TotalSeconds));
        else if (DateTimeOffset.TryParseExact(header, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
            wait = at - now;
        else
            return null;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > LongestRetryAfter ? LongestRetryAfter : wait;
    }

    private static string ErrorTextOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            foreach (var path in (string[])["/error/message", "/message", "/detail", "/error", "/title"])
            {
                if (JsonPointer.Find(document.RootElement, path) is { ValueKind: JsonValueKind.String } text)
                    return text.GetString()!;
            }
        }
        catch (JsonException)
        {
            // An error page: its markup tells a user less than the status does.
        }

        return "";
    }

    private static string WithoutSecrets(string text, AgentDefinition agent)
    {
        var secrets = (agent.Settings as HttpSettings)?.SecretHeaders?.Values.ToList() ?? [];
        if (agent.ApiKey is { } key)
            secrets.Add(key);
        return secrets.Where(s => s.Length > 0).Aggregate(text, (t, s) => t.Replace(s, "[secret]", StringComparison.Ordinal));
    }
}
