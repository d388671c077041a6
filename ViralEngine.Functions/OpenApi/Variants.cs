using System.Text.Json.Nodes;
using ViralEngine.Core.Agents;
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
            .. AgentKinds.ByName.Select(kind => new Variant(
                kind.Key, $"Save{kind.Value}AgentRequest", $"{kind.Value}Settings",
                IsRequired: kind.Value != AgentKind.Echo)),
        ]),
        [typeof(AgentResource)] = new("kind", "settings",
        [
            // Of secret headers, only the names are shown.
            .. AgentKinds.ByName.Select(kind => new Variant(
                kind.Key, $"{kind.Value}Agent", $"{kind.Value}Settings{(kind.Value == AgentKind.Http ? "Shown" : "")}",
                IsRequired: true)),
        ]),
    };

    public static Variants? Of(Type type) => Known.GetValueOrDefault(type);

    /// <summary>The record's schema, narrowed for one of the words.</summary>
    public JsonObject Narrow(JsonObject record, Variant variant, JsonObject member)
    {
        var narrowed = record.DeepClone().AsObject();
        var properties = narrowed["properties"]!.AsObject();
        properties[Word] = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray(variant.Is) };
        if (variant.IsRequired && narrowed["required"] is JsonArray required
            && !required.Any(name => (string?)name == Member))
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
