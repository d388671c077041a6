using System.Text.Json.Nodes;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Webhooks;
using ViralEngine.Core.Workflows;
using ViralEngine.Core.Workflows.Conditions;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// Hand-written schemas (<c>Written/*.json</c>): of custom formats such as definitions and settings, of JSON written by
/// SQL such as events, and of strings with a fixed set of words. In the files, <c>$extends</c> copies the members of
/// others, <c>$base</c> derives from one,
/// <c>$union</c> is <c>oneOf</c> with a discriminator, a <c>$ref</c> is a name, and a member that is not required may
/// be null.
/// </summary>
internal static class WrittenSchemas
{
    private static readonly Dictionary<string, Type> Enums = new[]
    {
        typeof(AgentTaskStatus), typeof(WorkflowStatus), typeof(ErrorClass), typeof(WaitReason), typeof(OnTruncated),
        typeof(FailureMode),
        typeof(TextMatchMode), typeof(TimeoutAction), typeof(DecisionKind), typeof(GateStatus), typeof(AlertStatus),
        typeof(AlertMetric),
        typeof(AlertAction), typeof(WebhookDisabledReason),
    }.ToDictionary(type => type.Name);

    private static readonly Lazy<Dictionary<string, JsonObject>> All = new(Load);

    /// <summary>The event types with their schemas.</summary>
    public static IReadOnlyDictionary<string, JsonObject> Events { get; } = Read("events");

    public static Type? EnumOf(string name) => Enums.GetValueOrDefault(name);

    /// <summary>The schema in the document's form.</summary>
    public static JsonObject Of(string name)
    {
        var schema = Expand(name);
        Point(schema);
        return schema;
    }

    /// <summary>The names that the schema references, directly or nested.</summary>
    public static IEnumerable<string> NamesIn(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => member is { Key: "$ref", Value: JsonValue reference }
            ? [((string)reference!).Split('/')[^1]]
            : member.Key == "discriminator" ? [] : NamesIn(member.Value)),
        JsonArray items => items.SelectMany(NamesIn),
        _ => [],
    };

    private static JsonObject Expand(string name)
    {
        var written = All.Value.TryGetValue(name, out var found)
            ? found.DeepClone().AsObject()
            : throw new InvalidOperationException($"There is no written schema {name}.");
        if (written["$union"] is JsonObject union)
            return Union(written, union);
        if (!written.ContainsKey("properties") && !written.ContainsKey("$extends"))
            return written;

        var (properties, required) = Members(written);
        foreach (var (member, schema) in properties.ToList())
        {
            if (!required.Contains(member) && !IsUnion(schema!.AsObject()))
                RequestSchema.AllowNull(schema!.AsObject());
        }

        var schemaOf = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (written["description"] is { } description)
            schemaOf.Insert(0, "description", description.DeepClone());
        if (required.Count > 0)
            schemaOf["required"] = new JsonArray([.. required.Select(member => (JsonNode)member)]);
        // Requests reject unknown members; responses and messages may gain members.
        if (written["$open"] is null && written["$base"] is null)
            schemaOf["additionalProperties"] = false;
        return written["$base"] is { } parent ? Derived((string)parent!, schemaOf) : schemaOf;
    }

    // Its own members stay beside the base, where validators look for the discriminator.
    private static JsonObject Derived(string parent, JsonObject own)
    {
        own["allOf"] = new JsonArray(new JsonObject { ["$ref"] = parent });
        return own;
    }

    /// <summary>A nullable union is beyond generators and validators; it can still be omitted.</summary>
    private static bool IsUnion(JsonObject schema) =>
        schema["$ref"] is { } name && All.Value.TryGetValue(
            (string)name!, out var referred) && referred.ContainsKey("$union");

    private static JsonObject Union(JsonObject written, JsonObject union)
    {
        var (word, kinds) = (union.Single().Key, union.Single().Value!.AsObject());
        return new JsonObject
        {
            ["description"] = written["description"]?.DeepClone(),
            ["oneOf"] = new JsonArray([.. kinds.Select(kind => new JsonObject { ["$ref"] = (string)kind.Value! })]),
            ["discriminator"] = new JsonObject
            {
                ["propertyName"] = word,
                ["mapping"] = new JsonObject(kinds.Select(kind =>
                    KeyValuePair.Create(kind.Key, (JsonNode?)$"#/components/schemas/{(string)kind.Value!}"))),
            },
        };
    }

    private static (JsonObject Properties, List<string> Required) Members(JsonObject written)
    {
        var (properties, required) = (new JsonObject(), new List<string>());
        foreach (var other in written["$extends"]?.AsArray().Select(each => (string)each!) ?? [])
        {
            var (inherited, musts) = Members(All.Value[other]);
            Add(inherited, musts);
        }

        Add(
            written["properties"]?.AsObject() ?? [],
            written["required"]?.AsArray().Select(each => (string)each!) ?? []);
        return (properties, [.. required.Distinct()]);

        void Add(JsonObject members, IEnumerable<string> musts)
        {
            foreach (var (name, schema) in members)
                properties[name] = schema!.DeepClone();
            required.AddRange(musts);
        }
    }

    private static void Point(JsonNode? node)
    {
        if (node is JsonArray items)
        {
            foreach (var item in items)
                Point(item);
        }
        else if (node is JsonObject members)
        {
            if (members["$ref"] is JsonValue name)
                members["$ref"] = $"#/components/schemas/{(string)name!}";
            foreach (var member in members.ToList())
                Point(member.Value);
        }
    }

    private static Dictionary<string, JsonObject> Load()
    {
        var all = new Dictionary<string, JsonObject>();
        foreach (var file in (string[])["words", "agents", "workflows", "templates", "event-parts"])
        {
            foreach (var (name, schema) in Read(file))
                all.Add(name, schema);
        }

        foreach (var (name, schema) in EventSchemas.Of(Events))
            all.Add(name, schema);
        return all;
    }

    private static Dictionary<string, JsonObject> Read(string file)
    {
        using var stream = typeof(WrittenSchemas).Assembly.GetManifestResourceStream($"written/{file}.json")!;
        return JsonNode.Parse(stream)!.AsObject().ToDictionary(each => each.Key, each => each.Value!.AsObject());
    }
}
