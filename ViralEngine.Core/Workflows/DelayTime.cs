using System.Globalization;

namespace ViralEngine.Core.Workflows;

/// <summary>The time until which a delay waits: RFC 3339 with an offset.</summary>
internal static class DelayTime
{
    public const string Rule = "Must be a time after RFC 3339, such as 2030-01-31T12:00:00Z.";

    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    public static bool TryParse(string text, out DateTime utc)
    {
        utc = default;
        text = text.Trim().ToUpperInvariant();
        if (text.Length < 20 || !(text[^1] == 'Z' || text[^6] is '+' or '-')
            || !DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            return false;
        }

        utc = time.UtcDateTime;
        return true;
    }
}
