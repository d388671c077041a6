using System.Globalization;
using System.Text;

namespace ViralEngine.Core.Texts;

/// <summary>
/// The way in for text that others wrote: requests, headers, tokens, agents' answers, receivers' answers, what templates make of them.
/// What has passed here is valid Unicode without U+0000, so that PostgreSQL, JSON and HTTP can hold it; and it is cut between
/// characters as people see them (Unicode Standard Annex 29).
/// </summary>
public static class OutsideText
{
    /// <summary>Half a surrogate pair becomes U+FFFD; U+0000 is left out.</summary>
    public static string Of(string text)
    {
        if (IsClean(text))
            return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) // gives U+FFFD for a half
        {
            if (rune.Value != 0)
                clean.Append(rune);
        }

        return clean.ToString();
    }

    /// <summary>Bytes that claim to be UTF-8: a byte order mark is skipped, and what is no UTF-8 becomes U+FFFD.</summary>
    public static string Of(ReadOnlySpan<byte> utf8) => Of(Encoding.UTF8.GetString(WithoutMark(utf8)));

    /// <summary>The text, and no more of it than so many UTF-16 characters.</summary>
    public static string Of(string text, int most) => Cut(Of(text), most);

    /// <summary>
    /// The beginning of a text: whole text elements, of at most <paramref name="most"/> UTF-16 characters together. An element that
    /// is longer than that alone is cut between its code points.
    /// </summary>
    public static string Cut(string text, int most)
    {
        if (text.Length <= most)
            return text;
        var length = 0;
        while (StringInfo.GetNextTextElementLength(text.AsSpan(length)) is var next && length + next <= most)
            length += next;
        if (length == 0 && most > 0)
            length = char.IsHighSurrogate(text[most - 1]) ? most - 1 : most;
        return text[..length];
    }

    /// <summary>The beginning of a text for a message: on one line, without control characters, with … where it was cut.</summary>
    public static string Excerpt(string text, int most)
    {
        // Only the beginning is looked at: what is quoted may be an answer of megabytes.
        var beginning = text.Length > 8 * most ? text[..(8 * most)] : text;
        var line = string.Join(' ', Of(beginning).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        line = new string([.. line.Where(character => !char.IsControl(character))]);
        return line.Length <= most && beginning.Length == text.Length ? line : $"{Cut(line, most)}…";
    }

    /// <summary>Bytes without the mark at their beginning that RFC 8259, section 8.1, lets a reader pass over.</summary>
    public static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> utf8) => utf8.StartsWith(Mark) ? utf8[Mark.Length..] : utf8;

    private static ReadOnlySpan<byte> Mark => [0xEF, 0xBB, 0xBF];

    private static bool IsClean(string text) =>
        !text.AsSpan().ContainsAnyInRange('\ud800', '\udfff') && !text.Contains('\0', StringComparison.Ordinal);
}
