using System.Globalization;

namespace ViralEngine.Core.Texts;

/// <summary>
/// Integers as defined by JSON Schema (2020-12, 6.1.1): any number without a fraction, so <c>5.0</c> and <c>5e0</c>
/// too.
/// </summary>
public static class WholeNumber
{
    private const NumberStyles Digits =
        NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    public static bool TryParse(ReadOnlySpan<char> number, out long value)
    {
        if (long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value))
            return true;
        // A decimal represents every long exactly, with room for zeros after the point.
        if (!decimal.TryParse(number, Digits, CultureInfo.InvariantCulture, out var exact)
            || exact != decimal.Truncate(exact) || exact is < long.MinValue or > long.MaxValue)
        {
            return false;
        }

        value = (long)exact;
        return IsExact(number, value);
    }

    /// <summary>
    /// A decimal rounds more than 28 digits and very small numbers to 0; but 1.00…01 and 1e-300 are not integers.
    /// </summary>
    private static bool IsExact(ReadOnlySpan<char> number, long value)
    {
        var end = number.IndexOfAny('e', 'E');
        var mantissa = end < 0 ? number : number[..end];
        var digits = 0;
        foreach (var character in mantissa)
            digits += char.IsAsciiDigit(character) ? 1 : 0;
        return digits <= 28 && (value != 0 || !mantissa.ContainsAnyInRange('1', '9'));
    }
}
