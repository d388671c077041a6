using System.Globalization;
using System.Text;

namespace ViralEngine.Core.Storage;

/// <summary>
/// PostgreSQL array literals (manual, 8.15.6), for array columns in statements over many rows, because arrays of
/// different lengths cannot be one parameter.
/// </summary>
internal static class ArrayLiteral
{
    public static string Of(IReadOnlyCollection<int> numbers) =>
        $"{{{string.Join(',', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)))}}}";

    public static string Of(IReadOnlyCollection<string> texts)
    {
        if (texts.Count == 0)
            return "{}";

        var literal = new StringBuilder("{");
        foreach (var text in texts)
        {
            literal.Append(literal.Length == 1 ? "" : ",").Append('"');
            foreach (var character in text)
                literal.Append(character is '"' or '\\' ? "\\" : "").Append(character);
            literal.Append('"');
        }

        return literal.Append('}').ToString();
    }
}
