using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>An agent as a user wants it, checked as far as that goes without the database.</summary>
/// <param name="ApiKey">Null: none, or (with <paramref name="KeepsApiKey"/>) the one there is.</param>
/// <param name="KeepsApiKey">The user said nothing about the key. An explicit null removes it.</param>
public sealed record AgentDraft(
    string Name,
    string? Description,
    AgentKind Kind,
    AgentSettings Settings,
    string? ApiKey,
    bool KeepsApiKey,
    IReadOnlyList<Guid> FallbackAgentIds)
{
    public const int MaxFallbacks = 5;

    /// <returns>Null when <paramref name="errors"/> got what is wrong, by field.</returns>
    public static AgentDraft? Read(JsonElement body, SettingsRules rules, FieldErrors errors)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            errors.Add("", "must be a JSON object");
            return null;
        }

        var reader = new SettingsReader(body, "", errors);
        var name = reader.Text("name", 100);
        reader.Require("name", name);
        if (name is not null && name.Trim() is var trimmed && (trimmed.Length == 0 || trimmed != name))
            reader.Fail("name", "must have text, without white space around it");
        if (name is BuiltInAgents.Echo or BuiltInAgents.Http)
            reader.Fail("name", "is the name of a built-in agent");

        var kind = reader.Choice("kind", AgentKinds.ByName);
        reader.Require("kind", kind);
        var settings = kind is { } known
            ? AgentSettings.Read(known, reader.Any("settings") ?? EmptyObject, rules, errors)
            : null;
        _ = reader.Any("settings");

        var draft = new AgentDraft(
            name ?? "",
            reader.Text("description", 2000),
            kind ?? default,
            settings ?? EchoSettings.Plain,
            ReadApiKey(reader, kind),
            KeepsApiKey: !body.TryGetProperty("api_key", out _),
            reader.Ids("fallback_agent_ids", MaxFallbacks) ?? []);
        reader.RefuseOthers("is not a field of an agent");
        return errors.Any ? null : draft;
    }

    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}");

    private static string? ReadApiKey(SettingsReader reader, AgentKind? kind)
    {
        var key = reader.Text("api_key", 4096);
        if (key is not null && (key.Length == 0 || !key.All(c => c is > ' ' and < '\x7f')))
            reader.Fail("api_key", "must be printable ASCII without spaces");
        if (key is not null && kind == AgentKind.Echo)
            reader.Fail("api_key", "is of no use to an echo agent");
        return key;
    }
}
