using System.Text.Json;

namespace ViralEngine.Console.Templates;

/// <summary>A parameter of a template as a form field.</summary>
/// <param name="Type">As declared: <c>string</c>, <c>integer</c>, <c>number</c>, <c>boolean</c>, <c>enum</c>,
/// <c>object</c> or
/// <c>array</c>.</param>
public sealed record TemplateField(
    string Name, string Type, bool IsRequired, string? Description, string? Default, string? Min, string? Max,
    string? Pattern,
    IReadOnlyList<string> Values)
{
    /// <summary>Its name in the form and in the API's errors.</summary>
    public string Key => $"parameters.{Name}";

    public bool IsNumber => Type is "integer" or "number";

    /// <summary>Whether it is entered as JSON.</summary>
    public bool IsJson => Type is "object" or "array";

    /// <summary>Reads the parameters of a stored, validated template.</summary>
    public static IReadOnlyList<TemplateField> In(JsonElement parameters) =>
        [.. parameters.EnumerateArray().Select(Of)];

    private static TemplateField Of(JsonElement declared) => new(
        declared.GetProperty("name").GetString()!,
        declared.GetProperty("type").GetString()!,
        declared.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.True,
        TextOf(declared, "description"),
        TextOf(declared, "default"),
        TextOf(declared, "min"),
        TextOf(declared, "max"),
        TextOf(declared, "pattern"),
        declared.TryGetProperty("values", out var values) && values.ValueKind == JsonValueKind.Array
            ? [.. values.EnumerateArray().Select(value => value.GetString()!)]
            : []);

    private static string? TextOf(JsonElement declared, string name) =>
        !declared.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : value.GetRawText();
}
