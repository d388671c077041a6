using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>An agent's settings in storage and responses, without secrets.</summary>
internal static class AgentSettingsJson
{
    public static JsonElement Write(AgentSettings settings) => settings switch
    {
        EchoSettings echo => JsonSerializer.SerializeToElement(echo, AgentJson.Default.EchoSettings),
        HttpSettings http => JsonSerializer.SerializeToElement(http, AgentJson.Default.HttpSettings),
        OpenAiSettings openAi => JsonSerializer.SerializeToElement(openAi, AgentJson.Default.OpenAiSettings),
        _ => throw new ArgumentOutOfRangeException(nameof(settings), settings.GetType().Name, "The settings have an unknown type."),
    };

    /// <summary>Reads what <see cref="Write"/> wrote, without validation, because rules may have changed since.</summary>
    public static AgentSettings Read(AgentKind kind, string json) => kind switch
    {
        AgentKind.Echo => JsonSerializer.Deserialize(json, AgentJson.Default.EchoSettings)!,
        AgentKind.Http => JsonSerializer.Deserialize(json, AgentJson.Default.HttpSettings)!,
        _ => JsonSerializer.Deserialize(json, AgentJson.Default.OpenAiSettings)!,
    };
}
