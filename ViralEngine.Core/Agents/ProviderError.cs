using System.Globalization;
using System.Text.Json;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Agents;

/// <summary>
/// A provider's error: its message, and its code or type, in any of the many forms that providers use.
/// </summary>
/// <param name="Message">Empty if there is none.</param>
/// <param name="Kind">Codes and types together, in lower case.</param>
internal sealed record ProviderError(string Message, int? Status, string Kind)
{
    private static readonly string[] Messages =
    [
        "/error/message", "/message", "/detail", "/error", "/error_description", "/title", "/msg", "/detail/0/msg",
        "/message/detail/0/msg", "/errors/0/message", "/error/error/message", "/error/detail",
    ];

    private static readonly string[] Overloads = ["overload", "capacity", "service_unavailable"];

    public static ProviderError Nothing { get; } = new("", null, "");

    /// <summary>An error object, or a document that holds one under <c>error</c>.</summary>
    public static ProviderError Read(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.String)
            return new ProviderError(json.Text(), null, "");
        // Gemini has its errors in an array.
        if (json.ValueKind == JsonValueKind.Array && json.GetArrayLength() == 1)
            return Read(json[0]);
        var message = Messages
            .Select(path => JsonPointer.Find(json, path))
            .FirstOrDefault(found => found is { ValueKind: JsonValueKind.String });
        var inner = json.Member("error") is { ValueKind: JsonValueKind.Object } error ? error : json;
        string[] words = [WordOf(inner, "code"), WordOf(inner, "type"), WordOf(inner, "status")];
        return new ProviderError(
            message?.Text() ?? "",
            words.Select(StatusOf).FirstOrDefault(status => status is not null),
            string.Join(' ', words).ToLowerInvariant());
    }

    /// <summary>Reads the body of an error response; invalid UTF-8 is replaced.</summary>
    public static ProviderError Read(ReadOnlySpan<byte> body, string? mediaType)
    {
        if (OutsideJson.TryParse(body, out var json))
            return Read(json);
        // An error page's markup helps a user less than the status.
        return mediaType == "text/plain" ? new ProviderError(OutsideText.Of(body), null, "") : Nothing;
    }

    /// <summary>The class of an error without an HTTP status, as in the middle of a stream.</summary>
    public ErrorClass Class => Status is { } status
        ? OfStatus(status)
        : Find(Kind) ?? Find(Message.ToLowerInvariant()) ?? ErrorClass.Unavailable;

    /// <summary>Whether the provider has too much to do, which is what 503 and 529 mean.</summary>
    public bool IsOverload => Class == ErrorClass.Unavailable && (Status is 503 or 529
        || Overloads.Any(word => Kind.Contains(word, StringComparison.Ordinal) || Mentions(word)));

    public bool Mentions(string word) => Message.Contains(word, StringComparison.OrdinalIgnoreCase);

    public static ErrorClass OfStatus(int status) => status switch
    {
        401 or 402 or 403 => ErrorClass.Unauthorized,
        408 => ErrorClass.Timeout,
        429 => ErrorClass.RateLimited,
        413 => ErrorClass.TooLarge,
        409 or 425 or >= 500 => ErrorClass.Unavailable,
        _ => ErrorClass.InvalidRequest,
    };

    private static ErrorClass? Find(string words)
    {
        (string[] Any, ErrorClass Class)[] rules =
        [
            (["rate_limit", "rate limit", "quota", "too many requests", "too_many_requests", "tokens per minute",
                "throttl"], ErrorClass.RateLimited),
            (["authentication", "invalid_api_key", "api key", "permission", "unauthorized", "forbidden",
                "insufficient_balance"], ErrorClass.Unauthorized),
            (["overloaded", "over_capacity", "capacity", "server_error", "internal", "unavailable", "api_error"],
                ErrorClass.Unavailable),
            (["timeout", "timed out", "timed_out"], ErrorClass.Timeout),
            (["invalid_request", "badrequest", "bad_request", "context_length", "context length", "content_filter",
                "invalid_value", "not_found", "notfound", "unsupported", "exceed_context"], ErrorClass.InvalidRequest),
        ];
        foreach (var (any, errorClass) in rules)
        {
            if (any.Any(word => words.Contains(word, StringComparison.Ordinal)))
                return errorClass;
        }

        return null;
    }

    private static string WordOf(JsonElement error, string name) => error.Member(name) switch
    {
        { ValueKind: JsonValueKind.String } text => text.Text(),
        { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
        _ => "",
    };

    private static int? StatusOf(string word) =>
        int.TryParse(
            word, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 400 and <= 599
            ? status
            : null;
}
