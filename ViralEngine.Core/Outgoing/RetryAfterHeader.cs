using System.Globalization;

namespace ViralEngine.Core.Outgoing;

/// <summary>
/// <c>Retry-After</c> (RFC 9110, section 10.2.3): seconds, or a date in any of the three forms that a recipient must
/// take (section 5.6.7).
/// </summary>
public static class RetryAfterHeader
{
    private static readonly string[] Forms =
    [
        "ddd, dd MMM yyyy HH:mm:ss 'GMT'", // IMF-fixdate
        "ddd MMM d HH:mm:ss yyyy", // asctime: its day has a space where it has one digit
    ];

    /// <summary>
    /// The wait that a response asks for, not negative; null if it asks for none. A date is of the sender's clock: its
    /// own <c>Date</c> counts as now, if it has one.
    /// </summary>
    public static TimeSpan? Of(HttpResponseMessage response, DateTimeOffset now) =>
        response.Headers.NonValidated.TryGetValues("Retry-After", out var values)
            ? Read(values.FirstOrDefault(), response.Headers.Date ?? now)
            : null;

    /// <summary>The wait from now, not negative; null if the header is missing or invalid.</summary>
    public static TimeSpan? Read(string? header, DateTimeOffset now)
    {
        var text = header?.Trim() ?? "";
        if (text.Length > 0 && text.All(char.IsAsciiDigit))
        {
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                && seconds < int.MaxValue
                ? TimeSpan.FromSeconds(seconds)
                : TimeSpan.FromSeconds(int.MaxValue);
        }

        if (!TryDate(text, now, out var at))
            return null;
        return at > now ? at - now : TimeSpan.Zero;
    }

    private static bool TryDate(string text, DateTimeOffset now, out DateTimeOffset date)
    {
        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite;
        if (DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, Styles, out date))
            return true;
        // RFC 850 has the full name of the day and a two-digit year, at most 50 years ahead.
        var comma = text.IndexOf(", ", StringComparison.Ordinal);
        if (comma < 0 || !Enum.TryParse<DayOfWeek>(text[..comma], out _)
            || !DateTimeOffset.TryParseExact(
                text[(comma + 2)..], "dd-MMM-yy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture, Styles, out date))
        {
            return false;
        }

        var year = (now.Year / 100 * 100) + (date.Year % 100);
        date = date.AddYears((year > now.Year + 50 ? year - 100 : year) - date.Year);
        return true;
    }
}
