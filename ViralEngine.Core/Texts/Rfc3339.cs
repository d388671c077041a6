using System.Globalization;

namespace ViralEngine.Core.Texts;

/// <summary>
/// RFC 3339 times with an offset, converted to UTC with a precision of 100 nanoseconds. Finer digits are cut off; a
/// leap second becomes the last moment before it.
/// </summary>
public static class Rfc3339
{
    private const int TickDigits = 7;

    public static bool TryParse(string text, out DateTime utc)
    {
        utc = default;
        // yyyy-MM-ddTHH:mm:ss, then a fraction or none, then Z or an offset, without which the time is ambiguous.
        if (text.Length < 20 || text[10] is not ('T' or 't')
            || !DateOnly.TryParseExact(
                text.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            || !TryTime(text.AsSpan(11, 8), out var time, out var isLeap)
            || !TryFraction(text.AsSpan(19), out var fraction, out var rest)
            || !TryOffset(rest, out var offset))
        {
            return false;
        }

        var ticks = date.ToDateTime(TimeOnly.MinValue).Ticks + time.Ticks + (isLeap ? 0 : fraction) - offset.Ticks;
        if (ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks)
            return false;
        utc = new DateTime(ticks, DateTimeKind.Utc);
        return true;
    }

    private static bool TryTime(ReadOnlySpan<char> text, out TimeSpan time, out bool isLeap)
    {
        (time, isLeap) = (default, false);
        if (text[2] != ':' || text[5] != ':' || !TryNumber(text[..2], 23, out var hours)
            || !TryNumber(text[3..5], 59, out var minutes)
            || !TryNumber(text[6..], 60, out var seconds))
        {
            return false;
        }

        time = new TimeSpan(hours, minutes, Math.Min(seconds, 59));
        isLeap = seconds == 60;
        if (isLeap)
            time += TimeSpan.FromSeconds(1) - TimeSpan.FromTicks(1);
        return true;
    }

    private static bool TryFraction(ReadOnlySpan<char> text, out long ticks, out ReadOnlySpan<char> rest)
    {
        ticks = 0;
        rest = text;
        if (text.IsEmpty || text[0] != '.')
            return true;
        var length = 1;
        while (length < text.Length && char.IsAsciiDigit(text[length]))
        {
            if (length <= TickDigits)
                ticks = (ticks * 10) + text[length] - '0';
            length++;
        }

        for (var digit = length; digit <= TickDigits; digit++)
            ticks *= 10;
        rest = text[length..];
        return length > 1;
    }

    private static bool TryOffset(ReadOnlySpan<char> text, out TimeSpan offset)
    {
        offset = default;
        if (text is "Z" or "z")
            return true;
        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':'
            || !TryNumber(text[1..3], 23, out var hours) || !TryNumber(text[4..], 59, out var minutes))
        {
            return false;
        }

        offset = new TimeSpan(hours, minutes, 0) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, int most, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= most;
}
