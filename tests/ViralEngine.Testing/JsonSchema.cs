using System.Text.Json;

namespace ViralEngine.Testing;

/// <summary>Where a value breaks its schema, as a JSON pointer, and the rule it breaks.</summary>
public sealed record SchemaFault(string At, string Rule);

/// <summary>
/// Checks values against JSON Schema 2020-12, as far as the API's document uses it. A keyword or format that is not known
/// here throws, so that no rule is passed over in silence.
/// </summary>
/// <param name="document">What the references (<c>#/components/…</c>) point into.</param>
public sealed class JsonSchema(JsonElement document)
{
    public IEnumerable<SchemaFault> Check(JsonElement schema, JsonElement value, string at = "") => schema.ValueKind switch
    {
        JsonValueKind.True => [],
        JsonValueKind.False => [new SchemaFault(at, "nothing is allowed here")],
        _ => schema.EnumerateObject().SelectMany(keyword => Check(keyword, schema, value, at)),
    };

    /// <summary>The part that a reference of the document names; anything else as it is.</summary>
    public JsonElement Resolve(JsonElement node) =>
        node.ValueKind == JsonValueKind.Object && node.TryGetProperty("$ref", out var reference)
            ? Resolve(reference.GetString()!)
            : node;

    private JsonElement Resolve(string reference) =>
        reference.StartsWith("#/", StringComparison.Ordinal)
            ? reference[2..].Split('/').Aggregate(document, (node, name) => node.GetProperty(name.Replace("~1", "/").Replace("~0", "~")))
            : throw new NotSupportedException($"The reference {reference} does not point into the document.");

    private IEnumerable<SchemaFault> Check(JsonProperty keyword, JsonElement schema, JsonElement value, string at)
    {
        var rule = keyword.Value;
        switch (keyword.Name)
        {
            case "title" or "description" or "example" or "examples" or "default":
                return [];
            case "$ref":
                return Check(Resolve(rule.GetString()!), value, at);
            case "type":
                var names = rule.ValueKind == JsonValueKind.Array ? [.. rule.EnumerateArray()] : new[] { rule };
                return Unless(names.Any(name => IsOf(name.GetString()!, value)), at, $"is {value.ValueKind}, not of type {rule}");
            case "enum":
                return Unless(rule.EnumerateArray().Any(word => JsonElement.DeepEquals(word, value)), at, $"{value} is none of {rule}");
            case "anyOf":
                var branches = rule.EnumerateArray().Select(branch => Check(branch, value, at).FirstOrDefault()).ToList();
                return Unless(branches.Contains(null), at, $"fits none of anyOf: {string.Join("; ", branches)}");
            case "format":
                var format = rule.GetString()!;
                return Unless(HasFormat(format, value), at, $"{value} is not in the format {format}");
            case "required":
                return value.ValueKind != JsonValueKind.Object ? [] : rule.EnumerateArray()
                    .Where(name => !value.TryGetProperty(name.GetString()!, out _))
                    .Select(name => new SchemaFault(at, $"lacks the required {name}"));
            case "properties":
                return value.ValueKind != JsonValueKind.Object ? [] : rule.EnumerateObject().SelectMany(property =>
                    value.TryGetProperty(property.Name, out var member) ? Check(property.Value, member, Below(at, property.Name)) : []);
            case "additionalProperties":
                return value.ValueKind != JsonValueKind.Object ? [] : value.EnumerateObject()
                    .Where(member => !schema.TryGetProperty("properties", out var known) || !known.TryGetProperty(member.Name, out _))
                    .SelectMany(member => Check(rule, member.Value, Below(at, member.Name)));
            case "items":
                return value.ValueKind != JsonValueKind.Array ? [] : value.EnumerateArray()
                    .SelectMany((item, index) => Check(rule, item, Below(at, $"{index}")));
            default:
                throw new NotSupportedException($"The document uses the keyword {keyword.Name}, which is not checked yet.");
        }
    }

    private static IEnumerable<SchemaFault> Unless(bool holds, string at, string rule) =>
        holds ? [] : [new SchemaFault(at, rule)];

    private static bool IsOf(string type, JsonElement value) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        // 1.0 is an integer too.
        "integer" => value.ValueKind == JsonValueKind.Number && double.IsInteger(value.GetDouble()),
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        _ => throw new NotSupportedException($"There is no type {type}."),
    };

    /// <summary>A format says nothing of values that are not of its type.</summary>
    private static bool HasFormat(string format, JsonElement value) => format switch
    {
        "uuid" => value.ValueKind != JsonValueKind.String || Guid.TryParseExact(value.GetString(), "D", out _),
        "date-time" => value.ValueKind != JsonValueKind.String || value.TryGetDateTimeOffset(out _) && value.GetString()!.Contains('T')
            && (value.GetString()!.EndsWith('Z') || value.GetString()![^6] is '+' or '-'),
        "int32" => value.ValueKind != JsonValueKind.Number || value.TryGetDecimal(out var number) && number is >= int.MinValue and <= int.MaxValue,
        "int64" => value.ValueKind != JsonValueKind.Number || value.TryGetDecimal(out var number) && number is >= long.MinValue and <= long.MaxValue,
        _ => throw new NotSupportedException($"The document uses the format {format}, which is not checked yet."),
    };

    private static string Below(string at, string name) => $"{at}/{name.Replace("~", "~0").Replace("/", "~1")}";
}
