using System.Text;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>Text that PostgreSQL takes: no U+0000, no half of a surrogate pair.</summary>
internal static class CleanText
{
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\ud800', '\udfff') && !text.Contains('\0'))
            return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) // gives U+FFFD for a half
        {
            if (rune.Value != 0)
                clean.Append(rune);
        }

        return clean.ToString();
    }
}
