using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Templates;

/// <summary>A parameter of a template and its rules. Values reach the steps as <c>input.&lt;name&gt;</c>.</summary>
/// <param name="Min">The minimum of a number, of a string's length, or of an array's item count.</param>
/// <param name="Values">The values of an enum.</param>
internal sealed record TemplateParameter(
    string Name,
    ParameterType Type,
    bool Required,
    JsonElement? Default,
    decimal? Min,
    decimal? Max,
    Regex? Pattern,
    IReadOnlyList<string> Values)
{
    private const int MaxText = 20_000;

    /// <summary>An error message for a value; null if it is valid.</summary>
    public string? Check(JsonElement value)
    {
        if (!IsOfType(value))
            return $"Must be {Words()}.";
        var (size, what) = value.ValueKind switch
        {
            JsonValueKind.String => ((decimal?)value.GetString()!.Length, " characters"),
            JsonValueKind.Array => (value.GetArrayLength(), " items"),
            JsonValueKind.Number => (value.GetDecimal(), ""),
            _ => (null, ""),
        };
        if (size < Min)
            return string.Create(CultureInfo.InvariantCulture, $"Must be {Min}{what} or more.");
        if (size > Max)
            return string.Create(CultureInfo.InvariantCulture, $"Must be {Max}{what} or less.");
        return Pattern is null || Matches(value.GetString()!) ? null : $"Must match {Pattern}.";
    }

    private bool IsOfType(JsonElement value) => Type switch
    {
        ParameterType.String => value.ValueKind == JsonValueKind.String && TextOf(value) is { Length: <= MaxText },
        ParameterType.Enum =>
            value.ValueKind == JsonValueKind.String && TextOf(value) is { } text && Values.Contains(text),
        ParameterType.Integer => value.ValueKind == JsonValueKind.Number && WholeNumber.TryParse(
            value.GetRawText(), out _),
        ParameterType.Number => value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out _),
        ParameterType.Boolean => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        ParameterType.Object => value.ValueKind == JsonValueKind.Object,
        ParameterType.Array => value.ValueKind == JsonValueKind.Array,
    };

    private string Words() => Type switch
    {
        ParameterType.String => $"a string of at most {MaxText:N0} characters",
        ParameterType.Enum => $"one of {string.Join(", ", Values)}",
        ParameterType.Integer => "a whole number",
        ParameterType.Number => "a number",
        ParameterType.Boolean => "true or false",
        ParameterType.Object => "an object",
        ParameterType.Array => "an array",
    };

    private bool Matches(string text)
    {
        try
        {
            return Pattern!.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    // An escaped unpaired surrogate is valid JSON but not valid text.
    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

internal enum ParameterType
{
    String,
    Integer,
    Number,
    Boolean,
    Enum,
    Object,
    Array,
}
