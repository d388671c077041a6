using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>An agent's settings in storage and responses, without secrets.</summary>
internal static class AgentSettingsJson
{
    public static JsonElement Write(AgentSettings settings) =>
        JsonSerializer.SerializeToElement(settings, settings.Kind.Parts().Json);

    /// <summary>
    /// Reads what <see cref="Write"/> wrote, without validation, because rules may have changed since.
    /// </summary>
    public static AgentSettings Read(AgentKind kind, string json) =>
        (AgentSettings)JsonSerializer.Deserialize(json, kind.Parts().Json)!;
}
