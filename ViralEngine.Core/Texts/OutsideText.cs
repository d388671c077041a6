using System.Globalization;
using System.Text;

namespace ViralEngine.Core.Texts;

/// <summary>
/// The entry point for external text: requests, headers, tokens, agents' answers, receivers' responses, rendered
/// templates. Text that passed here is valid Unicode without U+0000, which PostgreSQL, JSON and HTTP can hold, and is
/// cut between characters as people see them (Unicode Standard Annex 29).
/// </summary>
public static class OutsideText
{
    /// <summary>Replaces unpaired surrogates with U+FFFD and drops U+0000.</summary>
    public static string Of(string text)
    {
        if (IsClean(text))
            return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) // returns U+FFFD for an unpaired surrogate
        {
            if (rune.Value != 0)
                clean.Append(rune);
        }

        return clean.ToString();
    }

    /// <summary>Decodes UTF-8: skips a byte order mark, and replaces invalid bytes with U+FFFD.</summary>
    public static string Of(ReadOnlySpan<byte> utf8) => Of(Encoding.UTF8.GetString(WithoutMark(utf8)));

    /// <summary>The text, cut to this many UTF-16 characters.</summary>
    public static string Of(string text, int most) => Cut(Of(text), most);

    /// <summary>
    /// The beginning of a text: whole text elements with at most <paramref name="most"/> UTF-16 characters in total. An
    /// element longer than that is cut between code points.
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

    /// <summary>
    /// The beginning of a text for a message: on one line, without control characters, ending in … if it was cut.
    /// </summary>
    public static string Excerpt(string text, int most)
    {
        // Reads only the beginning, because the text may have megabytes.
        var beginning = text.Length > 8 * most ? text[..(8 * most)] : text;
        var line = string.Join(' ', Of(beginning).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        line = new string([.. line.Where(character => !char.IsControl(character))]);
        return line.Length <= most && beginning.Length == text.Length ? line : $"{Cut(line, most)}…";
    }

    /// <summary>The bytes without a byte order mark, which readers may ignore (RFC 8259, section 8.1).</summary>
    public static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> utf8) =>
        utf8.StartsWith(Mark) ? utf8[Mark.Length..] : utf8;

    private static ReadOnlySpan<byte> Mark => [0xEF, 0xBB, 0xBF];

    private static bool IsClean(string text) =>
        !text.AsSpan().ContainsAnyInRange('\ud800', '\udfff') && !text.Contains('\0', StringComparison.Ordinal);
}
