using System.Text.Json.Nodes;
using ViralEngine.Functions.Agents;

namespace ViralEngine.Functions.OpenApi;

/// <summary>Records in which one member determines the schema of another, with a schema for each word.</summary>
/// <param name="Word">The discriminating member.</param>
/// <param name="Member">The member whose schema depends on it.</param>
internal sealed record Variants(string Word, string Member, IReadOnlyList<Variant> All)
{
    private static readonly Dictionary<Type, Variants> Known = new()
    {
        [typeof(SaveAgentRequest)] = new("kind", "settings",
        [
            new("echo", "SaveEchoAgentRequest", "EchoSettings", IsRequired: false),
            new("http", "SaveHttpAgentRequest", "HttpSettings", IsRequired: true),
            new("openai", "SaveOpenAiAgentRequest", "OpenAiSettings", IsRequired: true),
        ]),
        [typeof(AgentResource)] = new("kind", "settings",
        [
            new("echo", "EchoAgent", "EchoSettings", IsRequired: true),
            new("http", "HttpAgent", "HttpSettingsShown", IsRequired: true),
            new("openai", "OpenAiAgent", "OpenAiSettings", IsRequired: true),
        ]),
    };

    public static Variants? Of(Type type) => Known.GetValueOrDefault(type);

    /// <summary>The record's schema, narrowed for one of the words.</summary>
    public JsonObject Narrow(JsonObject record, Variant variant, JsonObject member)
    {
        var narrowed = record.DeepClone().AsObject();
        var properties = narrowed["properties"]!.AsObject();
        properties[Word] = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray(variant.Is) };
        if (variant.IsRequired && narrowed["required"] is JsonArray required && !required.Any(name => (string?)name == Member))
            required.Add(Member);
        if (!variant.IsRequired)
            RequestSchema.AllowNull(member);
        properties[Member] = member;
        return narrowed;
    }
}

/// <param name="Is">The word.</param>
/// <param name="Schema">The schema of the dependent member.</param>
internal sealed record Variant(string Is, string Name, string Schema, bool IsRequired);
