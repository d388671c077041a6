using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// JSON schemas of what goes in and what comes out. Records become named components. What comes out is described by the
/// serializer that writes it; what goes in by the rules of the binder that reads it (<see cref="RequestSchema"/>).
/// </summary>
internal sealed class Schemas(XmlDocs docs)
{
    private readonly SortedDictionary<string, JsonNode?> components = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Type> types = [];

    public JsonObject Components() => new(components.Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));

    /// <summary>The schema of an answer's body.</summary>
    public JsonObject OfResponse(Type type)
    {
        if (type == typeof(object))
            return new JsonObject { ["type"] = "object" };
        return IsRecord(ApiJson.Options.GetTypeInfo(type)) ? Reference(type, type.Name, () => Export(type)) : Export(type);
    }

    /// <summary>The schema of an answer's body, without a name of its own.</summary>
    public JsonObject Inline(Type type) => Export(type);

    /// <summary>The schema of a request's body.</summary>
    /// <param name="isPatch">A merge patch: nothing is required, and null takes away.</param>
    public JsonObject OfRequest(Type type, bool isPatch = false) =>
        Reference(type, isPatch && HasRequired(type) ? type.Name + "Patch" : type.Name, () => RequestSchema.Of(type, this, isPatch));

    private static bool HasRequired(Type type) => RequestBinder.FieldsOf(type).Any(field => field.IsRequired);

    private JsonObject Reference(Type type, string name, Func<JsonObject> describe)
    {
        if (types.TryGetValue(name, out var known) && known != type)
            name = type.Namespace!.Split('.')[^1] + name;
        if (types.TryAdd(name, type))
        {
            // The name is taken before the members are looked at: they may refer back.
            components[name] = null;
            var schema = describe();
            if (docs.Summary(type) is { } summary)
                schema.Insert(0, "description", summary);
            components[name] = schema;
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
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
            schema = Reference(type, type.Name, () => Export(type));
            if (isNullable)
                schema = new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
        }
        else if (type.IsEnum)
        {
            var words = RequestBinder.EnumWords(type).Select(word => (JsonNode?)word.Word);
            var orNull = context.TypeInfo.Type != type;
            schema = new JsonObject
            {
                ["type"] = orNull ? new JsonArray("string", "null") : "string",
                ["enum"] = new JsonArray([.. orNull ? words.Append(null) : words]),
            };
        }
        else if (context.TypeInfo.Kind == JsonTypeInfoKind.Object)
        {
            // The exporter says what must be given to read it; here it is what is always written.
            schema["required"] = new JsonArray(
                [.. context.TypeInfo.Properties.Where(property => property is { Get: not null, ShouldSerialize: null }).Select(property => (JsonNode)property.Name)]);
        }

        schema.Remove("default");
        if (context.PropertyInfo?.AttributeProvider is PropertyInfo property)
        {
            // Of generated serializers the exporter does not know whether a text may be null.
            if (schema["type"] is JsonArray { Count: 2 } either && !property.PropertyType.IsValueType
                && new NullabilityInfoContext().Create(property).ReadState == NullabilityState.NotNull)
            {
                schema["type"] = either[0]!.DeepClone();
            }

            if (docs.Summary(property) is { } summary)
                schema["description"] = summary;
        }

        return schema;
    }

    private static bool IsRecord(JsonTypeInfo type) =>
        type.Kind == JsonTypeInfoKind.Object && type.Type.Namespace?.StartsWith("ViralEngine.", StringComparison.Ordinal) == true;
}
