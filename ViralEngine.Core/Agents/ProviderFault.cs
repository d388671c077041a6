using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Agents;

/// <summary>Turns a call's failure into an <see cref="AgentException"/> with a message for users.</summary>
internal static class ProviderFault
{
    private const int MaxExcerpt = 300;
    private const int MaxErrorBytes = 64 * 1024;
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromDays(1);

    /// <returns>Null if the failure is not the provider's.</returns>
    public static AgentException? From(Exception failure, AgentCall call)
    {
        var label = call.Agent.Settings.Label(call);
        for (var e = failure; e is not null; e = e.InnerException)
        {
            var fault = e switch
            {
                AgentException known => known,
                OutgoingRefusedException => new AgentException(
                    ErrorClass.Refused, $"{label} is an address that outgoing calls must not reach.", inner: failure),
                ResponseTooLargeException => new AgentException(
                    ErrorClass.TooLarge, $"{label} sent an answer that is too large.", inner: failure)
                {
                    Evidence = HostEvidence.Alive,
                },
                HttpRequestException or HttpIOException or SocketException
                    when e.InnerException is null or SocketException => FromConnection(e, label, failure),
                JsonException or InvalidDataException or FormatException => new AgentException(
                    ErrorClass.Malformed, $"{label} sent an unreadable answer.", inner: failure)
                {
                    Evidence = HostEvidence.Alive,
                },
                _ => null,
            };
            if (fault is not null)
                return fault;
        }

        return failure switch
        {
            HttpRequestException => FromConnection(failure, label, failure),
            IOException => BrokenOff(label, failure),
            _ => null,
        };
    }

    /// <summary>Reads the error of a response.</summary>
    public static async Task<ProviderError> ReadErrorAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (response.Content.Headers.ContentLength > MaxErrorBytes)
            return ProviderError.Nothing;
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        var buffer = new byte[MaxErrorBytes];
        var read = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        return ProviderError.Read(buffer.AsSpan(0, read), response.Content.Headers.ContentType?.MediaType);
    }

    public static AgentException FromAnswer(
        HttpResponseMessage response, ProviderError error, AgentCall call, DateTimeOffset now)
    {
        var status = (int)response.StatusCode;
        var errorClass = ProviderError.OfStatus(status);
        var retryAfter = errorClass is ErrorClass.RateLimited or ErrorClass.Unavailable
            ? RetryAfterOf(response, now)
            : null;

        using var standard = new HttpResponseMessage((HttpStatusCode)status);
        var message = $"{call.Agent.Settings.Label(call)} answered {status} {standard.ReasonPhrase}".TrimEnd();
        if (status is >= 300 and < 400)
            message += "; redirects are not followed";
        if (retryAfter is { } wait)
            message += string.Create(
                CultureInfo.InvariantCulture, $"; retry after {Math.Ceiling(wait.TotalSeconds)} s");
        // A message about a rejected key may quote part of it.
        if (status != 401 && WordsOf(error, call) is { Length: > 0 } words)
            message += $": {words}";
        return new AgentException(errorClass, Ended(message), retryAfter)
        {
            Evidence = status >= 500 ? HostEvidence.Failing : HostEvidence.Alive,
        };
    }

    /// <summary>An error that the provider reports in the middle of an answer.</summary>
    public static AgentException FromWords(JsonElement said, AgentCall call)
    {
        var error = ProviderError.Read(said);
        var words = WordsOf(error, call) is { Length: > 0 } text ? text : "without saying which";
        return new AgentException(error.Class, $"{call.Agent.Settings.Label(call)} reported an error: {words}")
        {
            Evidence = error.Status >= 500 ? HostEvidence.Failing : HostEvidence.Alive,
            IsOverload = error.IsOverload,
        };
    }

    public static AgentException BrokenOff(string label, Exception? inner) =>
        Failing($"{label} closed the connection before the answer was complete.", inner);

    /// <summary>The beginning of a provider's message, on one line.</summary>
    public static string Excerpt(string text) => OutsideText.Excerpt(text, MaxExcerpt);

    private static AgentException FromConnection(Exception e, string label, Exception failure)
    {
        var error = (e as HttpRequestException)?.HttpRequestError ?? (e as HttpIOException)?.HttpRequestError;
        var socket = (e as SocketException ?? e.InnerException as SocketException)?.SocketErrorCode;
        return (error, socket) switch
        {
            (HttpRequestError.NameResolutionError, _)
                or (_, SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain) =>
                Failing($"The name of {label} does not resolve.", failure),
            (_, SocketError.ConnectionRefused) => Failing($"{label} refused the connection.", failure),
            (HttpRequestError.SecureConnectionError, _) =>
                Failing($"{label} could not be reached: the TLS connection failed.", failure),
            (HttpRequestError.ConnectionError, _) => Failing($"{label} could not be reached.", failure),
            (HttpRequestError.ConfigurationLimitExceeded, _) =>
                new AgentException(ErrorClass.TooLarge, $"{label} sent headers that are too large.", inner: failure)
                {
                    Evidence = HostEvidence.Alive,
                },
            (HttpRequestError.InvalidResponse, _) =>
                new AgentException(ErrorClass.Malformed, $"{label} sent an answer that is not HTTP.", inner: failure)
                {
                    Evidence = HostEvidence.Alive,
                },
            _ => BrokenOff(label, failure),
        };
    }

    private static AgentException Failing(string message, Exception? inner) =>
        new(ErrorClass.Unavailable, message, inner: inner) { Evidence = HostEvidence.Failing };

    // RFC 9110, section 10.2.3: seconds or a date. OpenAI and Azure say it to the millisecond in a header of their own.
    private static TimeSpan? RetryAfterOf(HttpResponseMessage response, DateTimeOffset now)
    {
        var wait = response.Headers.TryGetValues("retry-after-ms", out var values)
            && double.TryParse(
                values.First(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var milliseconds)
                ? TimeSpan.FromMilliseconds(Math.Min(milliseconds, MaxRetryAfter.TotalMilliseconds))
                : RetryAfterHeader.Of(response, now);
        return wait > MaxRetryAfter ? MaxRetryAfter : wait;
    }

    // Providers quote the key in messages about it.
    private static string WordsOf(ProviderError error, AgentCall call) =>
        Excerpt(WithoutSecrets(error.Message, call.Agent));

    private static string Ended(string message) => message.EndsWith('.') ? message : message + ".";

    private static string WithoutSecrets(string text, AgentDefinition agent)
    {
        var secrets = agent.Settings.SecretHeaders?.Values.ToList() ?? [];
        if (agent.ApiKey is { } key)
            secrets.Add(key);
        return secrets.Where(s => s.Length > 0).Aggregate(
            text, (t, s) => t.Replace(s, "[secret]", StringComparison.Ordinal));
    }
}
