using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// Schemas of request records, from the same types and annotations that <see cref="RequestBinder"/> uses.
/// </summary>
internal static class RequestSchema
{
    public static JsonObject Of(Type type, Schemas schemas, bool isPatch)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var field in RequestBinder.FieldsOf(type))
        {
            properties[field.Name] = OfField(field, type, schemas, isPatch);
            if (field.IsRequired && !isPatch)
                required.Add(field.Name);
        }

        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (required.Count > 0)
            schema["required"] = required;
        // Unknown fields are rejected.
        schema["additionalProperties"] = false;
        return schema;
    }

    /// <summary>One field or query parameter, with its rules, default and description.</summary>
    public static JsonObject OfField(RequestField field, Type record, Schemas schemas, bool isPatch = false)
    {
        var schema = TypedMembers.Find(field.Property) is { } written
            ? schemas.OfWritten(written)
            : OfType(field.Type, schemas);
        foreach (var rule in field.Rules)
            Apply(rule, schema, field.Type);
        // Null means the same as omitted, so that what was read can be sent back.
        if (field.CanBeNull)
            AllowNull(schema);
        if (!isPatch && !field.IsRequired && DefaultOf(field, record) is { } value)
            schema["default"] = value;
        if (field.Property.GetCustomAttribute<DescriptionAttribute>()?.Description is { } description)
            schema["description"] = description;
        return schema;
    }

    /// <summary>OpenAPI's format of a numeric type; null for other types.</summary>
    public static string? NumberFormatOf(Type type) =>
        type == typeof(int) ? "int32"
        : type == typeof(long) ? "int64"
        : type == typeof(double) ? "double"
        : type == typeof(decimal) ? "decimal"
        : null;

    /// <summary>Allows null in a schema; an empty one already does.</summary>
    public static void AllowNull(JsonObject schema)
    {
        if (schema["type"] is JsonValue type)
            schema["type"] = new JsonArray((string)type!, "null");
        if (schema["enum"] is JsonArray words)
            words.Add(null);
        if (schema["$ref"] is { } reference)
        {
            schema.Remove("$ref");
            schema["oneOf"] = new JsonArray(
                new JsonObject { ["$ref"] = reference.DeepClone() }, new JsonObject { ["type"] = "null" });
        }
    }

    private static JsonObject OfType(Type type, Schemas schemas)
    {
        if (type == typeof(JsonElement) || type == typeof(object))
            return [];
        if (type == typeof(string))
            return new JsonObject { ["type"] = "string" };
        if (type == typeof(bool))
            return new JsonObject { ["type"] = "boolean" };
        if (NumberFormatOf(type) is { } format)
            return new JsonObject
            {
                ["type"] = format.StartsWith("int", StringComparison.Ordinal) ? "integer" : "number",
                ["format"] = format,
            };
        if (type == typeof(Guid))
            return new JsonObject { ["type"] = "string", ["format"] = "uuid" };
        if (type == typeof(DateTime))
            return new JsonObject { ["type"] = "string", ["format"] = "date-time" };
        if (type.IsEnum)
            return schemas.OfEnum(type);
        if (type.IsArray)
            return new JsonObject { ["type"] = "array", ["items"] = OfType(type.GetElementType()!, schemas) };
        if (type.IsGenericType && type.GetGenericArguments() is [{ } key, { } value] && key == typeof(string))
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = OfType(value, schemas) };
        return schemas.OfRequest(type);
    }

    private static void Apply(ValidationAttribute rule, JsonObject schema, Type type)
    {
        // Already in the named schema.
        if (schema.ContainsKey("$ref"))
            return;
        var (least, most) = type == typeof(string) ? ("minLength", "maxLength") : ("minItems", "maxItems");
        switch (rule)
        {
            case ISchemaRule own:
                own.Describe(schema);
                break;
            case StringLengthAttribute length:
                if (length.MinimumLength > 0)
                    schema["minLength"] = length.MinimumLength;
                schema["maxLength"] = length.MaximumLength;
                break;
            case MaxLengthAttribute length:
                schema[most] = length.Length;
                break;
            case MinLengthAttribute length:
                schema[least] = length.Length;
                break;
            case RangeAttribute range:
                schema["minimum"] = JsonSerializer.SerializeToNode(range.Minimum);
                if (range.Maximum is not int.MaxValue)
                    schema["maximum"] = JsonSerializer.SerializeToNode(range.Maximum);
                break;
            case RegularExpressionAttribute expression:
                schema["pattern"] = $"^(?:{expression.Pattern})$";
                break;
            case EmailAddressAttribute:
                schema["format"] = "email";
                break;
            case AllowedValuesAttribute allowed:
                schema["enum"] = new JsonArray(
                    [.. allowed.Values.OfType<object>().Select(value => JsonSerializer.SerializeToNode(value))]);
                break;
        }
    }

    private static JsonNode? DefaultOf(RequestField field, Type record) =>
        field.Property.GetValue(Activator.CreateInstance(record)) is { } value and not JsonElement
            ? JsonSerializer.SerializeToNode(value, ApiJson.Options)
            : null;
}
