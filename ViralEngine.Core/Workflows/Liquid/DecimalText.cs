using System.Globalization;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>Whether a number's text and a decimal are the same number, digit for digit.</summary>
internal static class DecimalText
{
    public static bool Same(string text, decimal number) =>
        Significant(text, out var exponent) is { } digits
        && Significant(number.ToString(CultureInfo.InvariantCulture), out var other) is { } others
        && digits.SequenceEqual(others) && (exponent == other || digits.Length == 0);

    /// <summary>The digits from the first to the last non-zero one, and the exponent of the first.</summary>
    private static string? Significant(string text, out long exponent)
    {
        exponent = 0;
        var at = text.AsSpan().IndexOfAny('e', 'E');
        if (at >= 0 && !long.TryParse(
            text.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            return null;
        var mantissa = (at < 0 ? text : text[..at]).TrimStart('-');
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var all = point < 0 ? mantissa : mantissa.Remove(point, 1);
        var digits = all.TrimStart('0');
        exponent += (point < 0 ? mantissa.Length : point) - (all.Length - digits.Length);
        return digits.TrimEnd('0');
    }
}
