using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>One of a tenant's agents, without its secrets.</summary>
/// <param name="ApiKeyHint">The key's last four characters; empty if it is too short to show any; null without a
/// key.</param>
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
    /// <summary>The settings as they were written, without secrets.</summary>
    public JsonElement SettingsJson() => AgentSettingsJson.Write(Settings);
}
