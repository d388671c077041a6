namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>
/// Limits a template before it is parsed: the parser recurses, and deep nesting would overflow the stack and kill the
/// process.
/// </summary>
internal static class LiquidLimits
{
    private const int MaxTags = 500;
    private const int MaxNesting = 20;
    private const int MaxInExpression = 50;
    private static readonly HashSet<string> Opening = ["if", "unless", "case", "for", "comment", "raw"];

    public static string? Check(string source)
    {
        if (source.Length > LiquidText.MaxCharacters)
            return $"Must have at most {LiquidText.MaxCharacters:N0} characters.";
        var tags = 0;
        var nesting = 0;
        for (var at = source.IndexOf('{', StringComparison.Ordinal);
            at >= 0 && at + 1 < source.Length;
            at = source.IndexOf('{', at + 1))
        {
            if (source[at + 1] is not ('%' or '{'))
                continue;
            if (++tags > MaxTags)
                return $"Must have at most {MaxTags} tags and outputs.";
            var end = source.IndexOf(source[at + 1] == '%' ? "%}" : "}}", at + 2, StringComparison.Ordinal);
            var inside = source.AsSpan(at + 2, (end < 0 ? source.Length : end) - at - 2);
            // Within one tag, the parser recurses at most once for each of these.
            if (inside.Count('[') + inside.Count('(') + CountWord(inside, "and") + CountWord(inside, "or")
                > MaxInExpression)
                return "Must not have an expression that long.";
            if (source[at + 1] != '%')
                continue;
            var word = FirstWord(inside);
            nesting += Opening.Contains(word) ? 1 : word.StartsWith("end", StringComparison.Ordinal) ? -1 : 0;
            if (nesting > MaxNesting)
                return $"Must not nest tags deeper than {MaxNesting} levels.";
        }

        return null;
    }

    private static string FirstWord(ReadOnlySpan<char> inside)
    {
        var rest = inside.TrimStart('-').TrimStart();
        var length = 0;
        while (length < rest.Length && char.IsAsciiLetter(rest[length]))
            length++;
        return rest[..length].ToString();
    }

    private static int CountWord(ReadOnlySpan<char> text, string word)
    {
        var count = 0;
        for (var at = text.IndexOf(word); at >= 0; at = text.IndexOf(word))
        {
            count++;
            text = text[(at + word.Length)..];
        }

        return count;
    }
}
