using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Core.Agents;

namespace ViralEngine.Functions.Agents;

/// <summary>An agent as the API shows it.</summary>
/// <param name="Id">The id; for a built-in agent, its name.</param>
/// <param name="ApiKeyHint">The last four characters of the key, unless it is too short to show any.</param>
/// <param name="SecretHeaderNames">The names of the headers whose values are not shown.</param>
internal sealed record AgentResource(
    string Id,
    string Name,
    string? Description,
    string Kind,
    bool BuiltIn,
    JsonElement Settings,
    bool ApiKeySet,
    string? ApiKeyHint,
    IReadOnlyList<string> SecretHeaderNames,
    IReadOnlyList<Guid> FallbackAgentIds,
    string? CreatedBy,
    DateTime? CreatedAt,
    DateTime? UpdatedAt)
{
    public static AgentResource Of(Agent agent) => new(
        agent.Id.ToString(),
        agent.Name,
        agent.Description,
        agent.Kind.ToText(),
        BuiltIn: false,
        agent.SettingsJson(),
        agent.ApiKeyHint is not null,
        agent.ApiKeyHint is "" ? null : agent.ApiKeyHint,
        agent.SecretHeaderNames,
        agent.FallbackAgentIds,
        agent.CreatedBy,
        agent.CreatedAt,
        agent.UpdatedAt);

    public static AgentResource Of(AgentDefinition builtIn) => new(
        builtIn.Name, builtIn.Name, null, builtIn.Kind.ToText(), BuiltIn: true, JsonElement.Parse("{}"),
        ApiKeySet: false, null,
        [], [], null, null, null);

    /// <summary>
    /// The request that replaces the agent with itself, the patch applied (RFC 7396). Nulls are kept, because "no API
    /// key" differs from "API key not mentioned".
    /// </summary>
    public JsonElement Patched(JsonElement patch)
    {
        var request = new JsonObject
        {
            ["name"] = Name,
            ["description"] = Description,
            ["kind"] = Kind,
            ["settings"] = JsonObject.Create(Settings),
            ["fallback_agent_ids"] = new JsonArray([.. FallbackAgentIds.Select(id => JsonValue.Create(id.ToString()))]),
        };
        return JsonSerializer.SerializeToElement(Merge(request, patch));
    }

    private static JsonNode? Merge(JsonNode? target, JsonElement patch)
    {
        if (patch.ValueKind != JsonValueKind.Object)
            return patch.ValueKind == JsonValueKind.Null ? null : JsonNode.Parse(patch.GetRawText());
        var merged = target as JsonObject ?? [];
        foreach (var member in patch.EnumerateObject())
        {
            var before = merged[member.Name];
            merged.Remove(member.Name);
            merged[member.Name] = Merge(before, member.Value);
        }

        return merged;
    }
}
