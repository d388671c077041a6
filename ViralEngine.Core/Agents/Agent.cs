using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>One of a tenant's agents, as the API shows it: secrets only by what may be known of them.</summary>
/// <param name="ApiKeyHint">The key's last four characters; empty where it is too short to show any; null: there is none.</param>
public sealed record Agent(
    Guid Id,
    string Name,
    string? Description,
    AgentKind Kind,
    AgentSettings Settings,
    string? ApiKeyHint,
    IReadOnlyList<string> SecretHeaderNames,
    IReadOnlyList<Guid> FallbackAgentIds,
    string CreatedBy,
    DateTime CreatedAt,
    DateTime UpdatedAt)
{
    /// <summary>The settings in the form in which they were written, without secrets.</summary>
    public JsonElement SettingsJson() => AgentSettingsJson.Write(Settings);
}
