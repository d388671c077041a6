using System.Globalization;

namespace ViralEngine.Functions.Requests;

/// <summary>Times as RFC 3339 writes them, with an offset; kept in UTC.</summary>
internal static class Rfc3339
{
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    public static bool TryParse(string text, out DateTime utc)
    {
        utc = default;
        // Without an offset it would be the time of nobody knows where.
        if (text.Length < 20 || !(text[^1] is 'Z' or 'z' || text[^6] is '+' or '-'))
            return false;
        if (!DateTimeOffset.TryParseExact(
                text.ToUpperInvariant(), Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            return false;
        }

        utc = time.UtcDateTime;
        return true;
    }
}
