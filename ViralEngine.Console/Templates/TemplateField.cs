using System.Text.Json;

namespace ViralEngine.Console.Templates;

/// <summary>A parameter of a template as its form asks for it.</summary>
/// <param name="Type">As declared: <c>string</c>, <c>integer</c>, <c>number</c>, <c>boolean</c>, <c>enum</c>, <c>object</c> or <c>array</c>.</param>
public sealed record TemplateField(
    string Name, string Type, bool IsRequired, string? Description, string? Default, string? Min, string? Max, string? Pattern,
    IReadOnlyList<string> Values)
{
    /// <summary>How the form names it, and the API's faults do.</summary>
    public string Key => $"parameters.{Name}";

    public bool IsNumber => Type is "integer" or "number";

    /// <summary>What is written as JSON.</summary>
    public bool IsJson => Type is "object" or "array";

    /// <summary>Of a template that is stored: it was checked then.</summary>
    public static IReadOnlyList<TemplateField> In(JsonElement parameters) => [.. parameters.EnumerateArray().Select(Of)];

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
