using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// JSON schemas of requests and responses. Records become named components. Responses are described by their
/// serializer, requests by their binder's rules (<see cref="RequestSchema"/>), and the rest by written schemas (<see
/// cref="WrittenSchemas"/>).
/// </summary>
internal sealed class Schemas(XmlDocs docs)
{
    private const string Root = "#/components/schemas/";
    private readonly SortedDictionary<string, JsonNode?> components = new(StringComparer.Ordinal);
    private readonly Dictionary<string, object> owners = [];

    public JsonObject Components() => new(components.Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));

    /// <summary>The schema of a response body.</summary>
    public JsonObject OfResponse(Type type)
    {
        if (type == typeof(object))
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = true };
        return IsRecord(ApiJson.Options.GetTypeInfo(type))
            ? OfRecord(type, type.Name, () => Export(type))
            : Export(type);
    }

    /// <summary>The schema of a request body.</summary>
    /// <param name="isPatch">A merge patch: nothing is required, and null removes.</param>
    public JsonObject OfRequest(Type type, bool isPatch = false) => isPatch
        ? Reference(
            type, HasRequired(type) ? type.Name + "Patch" : type.Name, () => RequestSchema.Of(type, this, isPatch))
        : OfRecord(type, type.Name, () => RequestSchema.Of(type, this, isPatch));

    /// <summary>The words of an enumeration, as one named schema.</summary>
    public JsonObject OfEnum(Type type) => Reference(type, type.Name, () => new JsonObject
    {
        ["type"] = "string",
        ["enum"] = new JsonArray([.. RequestBinder.EnumWords(type).Select(word => (JsonNode)word.Word)]),
    });

    /// <summary>
    /// A written schema by name, with all that it references; or an array of it (<c>WorkflowStep[]</c>).
    /// </summary>
    public JsonObject OfWritten(string name)
    {
        if (name.EndsWith("[]", StringComparison.Ordinal))
            return new JsonObject { ["type"] = "array", ["items"] = OfWritten(name[..^2]) };
        if (WrittenSchemas.EnumOf(name) is { } words)
            return OfEnum(words);
        var isNew = !components.ContainsKey(name);
        var reference = Reference(name, name, () => WrittenSchemas.Of(name));
        if (isNew)
        {
            foreach (var other in WrittenSchemas.NamesIn(components[name]).Distinct().ToList())
                OfWritten(other);
        }

        return reference;
    }

    private static bool HasRequired(Type type) => RequestBinder.FieldsOf(type).Any(field => field.IsRequired);

    /// <summary>A record, or its variants and their union.</summary>
    private JsonObject OfRecord(Type type, string name, Func<JsonObject> describe)
    {
        if (Variants.Of(type) is not { } variants)
            return Reference(type, name, describe);
        return Reference(type, name, () =>
        {
            var record = describe();
            foreach (var variant in variants.All)
                Reference(variant, variant.Name, () => variants.Narrow(record, variant, OfWritten(variant.Schema)));
            return new JsonObject
            {
                ["oneOf"] = new JsonArray(
                    [.. variants.All.Select(variant => new JsonObject { ["$ref"] = Root + variant.Name })]),
                ["discriminator"] = new JsonObject
                {
                    ["propertyName"] = variants.Word,
                    ["mapping"] = new JsonObject(variants.All.Select(
                        variant => KeyValuePair.Create(variant.Is, (JsonNode?)(Root + variant.Name)))),
                },
            };
        });
    }

    private JsonObject Reference(object owner, string name, Func<JsonObject> describe)
    {
        if (owners.TryGetValue(name, out var known) && !known.Equals(owner) && owner is Type type)
            name = type.Namespace!.Split('.')[^1] + name;
        if (owners.TryAdd(name, owner))
        {
            // Register the name before the members, which may refer back to it.
            components[name] = null;
            var schema = describe();
            if (owner is Type described && docs.Summary(described) is { } summary)
                schema.Insert(0, "description", summary);
            components[name] = schema;
        }

        return new JsonObject { ["$ref"] = Root + name };
    }

    private JsonObject Export(Type type) => (JsonObject)JsonSchemaExporter.GetJsonSchemaAsNode(
        ApiJson.Options,
        type,
        new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform });

    private JsonObject Transform(JsonSchemaExporterContext context, JsonNode node)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        // "true" is how the exporter says: any JSON.
        var schema = node as JsonObject ?? [];
        var isNullable = schema["type"] is JsonArray names && names.Any(name => (string?)name == "null");
        if (context.Path.Length > 0 && IsRecord(ApiJson.Options.GetTypeInfo(type)))
        {
            schema = OfRecord(type, type.Name, () => Export(type));
            if (isNullable)
                RequestSchema.AllowNull(schema);
        }
        else if (type.IsEnum)
        {
            schema = OfEnum(type);
            if (context.TypeInfo.Type != type)
                RequestSchema.AllowNull(schema);
        }
        else if (context.TypeInfo.Kind == JsonTypeInfoKind.Object)
        {
            // The exporter marks what reading requires; here it must be what is always written.
            schema["required"] = new JsonArray(
                [.. context.TypeInfo.Properties.Where(IsAlwaysSomething).Select(property => (JsonNode)property.Name)]);
        }

        if (RequestSchema.NumberFormatOf(type) is { } format && schema.ContainsKey("type"))
            schema["format"] = format;
        schema.Remove("default");
        return context.PropertyInfo?.AttributeProvider is PropertyInfo property ? Member(schema, property) : schema;
    }

    private JsonObject Member(JsonObject schema, PropertyInfo property)
    {
        var canBeNull = Nullable.GetUnderlyingType(property.PropertyType) is not null
            || (!property.PropertyType.IsValueType
                && new NullabilityInfoContext().Create(property).ReadState != NullabilityState.NotNull);
        if (TypedMembers.Find(property) is { } written)
        {
            schema = OfWritten(written);
            if (canBeNull)
                RequestSchema.AllowNull(schema);
        }
        else if (schema["type"] is JsonArray { Count: 2 } either && !canBeNull)
        {
            // For generated serializers, the exporter does not know whether a string may be null.
            schema["type"] = either[0]!.DeepClone();
        }

        if (docs.Summary(property) is { } summary)
            schema["description"] = summary;
        // The message that generated clients show.
        if (property.DeclaringType == typeof(Problem) && property.Name == nameof(Problem.Detail))
            schema["x-ms-primary-error-message"] = true;
        return schema;
    }

    /// <summary>Any JSON may be null, which some generators treat as optional: then it is not required.</summary>
    private static bool IsAlwaysSomething(JsonPropertyInfo property) =>
        property is { Get: not null, ShouldSerialize: null }
        && (property.PropertyType != typeof(JsonElement?) || (
            property.AttributeProvider is MemberInfo member && TypedMembers.Find(member) is not null));

    private static bool IsRecord(JsonTypeInfo type) =>
        type.Kind == JsonTypeInfoKind.Object && type.Type.Namespace?.StartsWith(
            "ViralEngine.", StringComparison.Ordinal) == true;
}
