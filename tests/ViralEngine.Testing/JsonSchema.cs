using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ViralEngine.Testing;

/// <summary>Where a value breaks its schema, as a JSON pointer, and the rule it breaks.</summary>
public sealed record SchemaFault(string At, string Rule);

/// <summary>
/// Checks values against JSON Schema 2020-12, as far as the API's document uses it. A keyword or format that is not
/// known here throws, so that no rule is passed over in silence.
/// </summary>
/// <param name="isClosed">An object has no other members than its properties, where its schema does not say
/// more.</param>
/// <param name="document">What the references (<c>#/components/…</c>) point into.</param>
public sealed class JsonSchema(JsonElement document, bool isClosed = false)
{
    private const string Undocumented = "is not documented";

    public IEnumerable<SchemaFault> Check(JsonElement schema, JsonElement value, string at = "") =>
        schema.ValueKind switch
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
            ? reference[2..].Split('/').Aggregate(
                document, (node, name) => node.GetProperty(name.Replace("~1", "/").Replace("~0", "~")))
            : throw new NotSupportedException($"The reference {reference} does not point into the document.");

    private IEnumerable<SchemaFault> Check(JsonProperty keyword, JsonElement schema, JsonElement value, string at)
    {
        var rule = keyword.Value;
        switch (keyword.Name)
        {
            case "title" or "description" or "example" or "examples" or "default" or "discriminator"
                or "contentMediaType" or "contentSchema":
                return [];
            case var extension when extension.StartsWith("x-", StringComparison.Ordinal):
                return [];
            case "$ref":
                return Check(Resolve(rule.GetString()!), value, at);
            case "type":
                var names = rule.ValueKind == JsonValueKind.Array ? [.. rule.EnumerateArray()] : new[] { rule };
                return Unless(
                    names.Any(name => IsOf(name.GetString()!, value)), at, $"is {value.ValueKind}, not of type {rule}");
            case "enum":
                return Unless(
                    rule.EnumerateArray().Any(word => JsonElement.DeepEquals(word, value)), at,
                    $"{value} is none of {rule}");
            case "allOf":
                // Each part alone does not know what the others do.
                var known = MembersOf(schema).Select(name => Below(at, name)).ToHashSet();
                return rule.EnumerateArray().SelectMany(part => Check(part, value, at))
                    .Where(fault => fault.Rule != Undocumented || !known.Contains(fault.At)).Distinct();
            case "oneOf" when KindOf(schema, value) is { } kind:
                return Check(Resolve(kind), value, at);
            case "anyOf" or "oneOf":
                var branches = rule.EnumerateArray().Select(branch => Check(branch, value, at).FirstOrDefault())
                    .ToList();
                return keyword.Name == "oneOf" && branches.Count(branch => branch is null) > 1
                    ? [new SchemaFault(at, "fits more than one of oneOf")]
                    : Unless(
                        branches.Contains(null), at, $"fits none of {keyword.Name}: {string.Join("; ", branches)}");
            case "minLength" or "maxLength":
                return value.ValueKind != JsonValueKind.String ? []
                    : Within(keyword.Name, rule, value.GetString()!.EnumerateRunes().Count(), at, "characters");
            case "minItems" or "maxItems":
                return value.ValueKind != JsonValueKind.Array
                    ? []
                    : Within(keyword.Name, rule, value.GetArrayLength(), at, "items");
            case "maxProperties":
                return value.ValueKind != JsonValueKind.Object
                    ? []
                    : Within(keyword.Name, rule, value.GetPropertyCount(), at, "members");
            case "minimum" or "maximum":
                return value.ValueKind != JsonValueKind.Number
                    ? []
                    : Within(keyword.Name, rule, value.GetDouble(), at, "");
            case "pattern":
                return Unless(
                    value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, rule.GetString()!), at,
                    $"does not match {rule}");
            case "format":
                var format = rule.GetString()!;
                return Unless(HasFormat(format, value), at, $"{value} is not in the format {format}");
            case "required":
                return value.ValueKind != JsonValueKind.Object ? [] : rule.EnumerateArray()
                    .Where(name => !value.TryGetProperty(name.GetString()!, out _))
                    .Select(name => new SchemaFault(at, $"lacks the required {name}"));
            case "properties":
                return value.ValueKind != JsonValueKind.Object ? [] : rule.EnumerateObject().SelectMany(property =>
                    value.TryGetProperty(property.Name, out var member) ? Check(
                        property.Value, member, Below(at, property.Name)) : [])
                    .Concat(Unknown(schema, value, at));
            case "additionalProperties":
                return value.ValueKind != JsonValueKind.Object ? [] : value.EnumerateObject()
                    .Where(member => !schema.TryGetProperty("properties", out var known) || !known.TryGetProperty(
                        member.Name, out _))
                    .SelectMany(member => Check(rule, member.Value, Below(at, member.Name)));
            case "items":
                return value.ValueKind != JsonValueKind.Array ? [] : value.EnumerateArray()
                    .SelectMany((item, index) => Check(rule, item, Below(at, $"{index}")));
            default:
                throw new NotSupportedException(
                    $"The document uses the keyword {keyword.Name}, which is not checked yet.");
        }
    }

    /// <summary>The members that a schema and what it is made of know.</summary>
    private IEnumerable<string> MembersOf(JsonElement schema) =>
        (schema.TryGetProperty("properties", out var own) ? own.EnumerateObject().Select(member => member.Name) : [])
        .Concat(schema.TryGetProperty("allOf", out var parts)
            ? parts.EnumerateArray().SelectMany(part => MembersOf(Resolve(part)))
            : []);

    /// <summary>Which one of several the value says that it is, where one of its members has to say.</summary>
    private static string? KindOf(JsonElement schema, JsonElement value) =>
        schema.TryGetProperty("discriminator", out var discriminator) && value.ValueKind == JsonValueKind.Object
        && value.TryGetProperty(discriminator.GetProperty("propertyName").GetString()!, out var word)
            && word.ValueKind == JsonValueKind.String
        && discriminator.GetProperty("mapping").TryGetProperty(word.GetString()!, out var kind)
            ? kind.GetString()
            : null;

    private static IEnumerable<SchemaFault> Within(
        string keyword, JsonElement bound, double size, string at, string unit) => Unless(
        keyword.StartsWith("min", StringComparison.Ordinal) ? size >= bound.GetDouble() : size <= bound.GetDouble(),
        at, $"{size} {unit} where {keyword} is {bound}");

    private IEnumerable<SchemaFault> Unknown(JsonElement schema, JsonElement value, string at) =>
        !isClosed || schema.TryGetProperty("additionalProperties", out _) ? [] : value.EnumerateObject()
            .ExceptBy(MembersOf(schema), member => member.Name)
            .Select(member => new SchemaFault(Below(at, member.Name), Undocumented));

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
        "date-time" => value.ValueKind != JsonValueKind.String || IsTime(value.GetString()!.ToUpperInvariant()),
        "int32" => value.ValueKind != JsonValueKind.Number || value.TryGetDecimal(
            out var number) && number is >= int.MinValue and <= int.MaxValue,
        "double" => value.ValueKind != JsonValueKind.Number || double.IsFinite(value.GetDouble()),
        "decimal" => value.ValueKind != JsonValueKind.Number || value.TryGetDecimal(out _),
        "email" => value.ValueKind != JsonValueKind.String || value.GetString()!.Contains('@'),
        "int64" => value.ValueKind != JsonValueKind.Number || value.TryGetDecimal(
            out var number) && number is >= long.MinValue and <= long.MaxValue,
        _ => throw new NotSupportedException($"The document uses the format {format}, which is not checked yet."),
    };

    /// <summary>RFC 3339, section 5.6; with the seconds that are put in at the end of some years.</summary>
    private static bool IsTime(string text) =>
        Regex.IsMatch(text, @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
        && DateTimeOffset.TryParse(
            text.Replace(":60", ":59", StringComparison.Ordinal), CultureInfo.InvariantCulture, out _);

    private static string Below(string at, string name) => $"{at}/{name.Replace("~", "~0").Replace("/", "~1")}";
}
