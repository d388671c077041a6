using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Idempotency;

/// <summary>
/// The header of draft-ietf-httpapi-idempotency-key-header: a structured-field string (RFC 9651, section 3.3.3), or a
/// bare string, as most clients send it. 1 to 255 visible ASCII characters.
/// </summary>
internal static class IdempotencyKey
{
    public const string Header = "Idempotency-Key";
    public const int MaxLength = 255;

    /// <summary>Null if the request has none.</summary>
    /// <exception cref="ProblemException">400: the header is not a valid key.</exception>
    public static string? Read(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(Header, out var values) || values.Count == 0)
            return null;
        return Parse(values) ?? throw new ProblemException(Problem.Validation(
            Header, $"Must be one key of 1 to {MaxLength} visible ASCII characters, bare or in double quotes."));
    }

    private static string? Parse(StringValues values)
    {
        if (values.Count != 1)
            return null;
        var text = values[0]!.Trim(' ', '\t');
        var key = text.StartsWith('"') ? Unquote(text) : text;
        return key is { Length: > 0 and <= MaxLength } && key.All(c => c is > ' ' and < '\x7f')
            && (text.StartsWith('"') || !key.Contains('"', StringComparison.Ordinal))
                ? key
                : null;
    }

    private static string? Unquote(string text)
    {
        if (text.Length < 2 || text[^1] != '"')
            return null;
        var key = new System.Text.StringBuilder(text.Length);
        for (var i = 1; i < text.Length - 1; i++)
        {
            if (text[i] == '"')
                return null;
            // A backslash escapes itself or a quote, and the closing quote must not be escaped.
            if (text[i] == '\\' && (++i == text.Length - 1 || text[i] is not ('\\' or '"')))
                return null;
            key.Append(text[i]);
        }

        return key.ToString();
    }
}
