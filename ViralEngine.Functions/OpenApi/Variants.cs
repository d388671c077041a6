using System.Text.Json.Nodes;
using ViralEngine.Functions.Agents;

namespace ViralEngine.Functions.OpenApi;

/// <summary>Records of which a word decides what another member holds: each word makes a schema of its own.</summary>
/// <param name="Word">The member that decides.</param>
/// <param name="Member">The member that it decides of.</param>
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

    /// <summary>The record's schema with what one of the words makes of it.</summary>
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
/// <param name="Schema">What the member holds then.</param>
internal sealed record Variant(string Is, string Name, string Schema, bool IsRequired);
