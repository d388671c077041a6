using System.Text.Json;
using System.Text.Json.Serialization;
using ViralEngine.Core.Agents.Echo;
using ViralEngine.Core.Agents.Http;
using ViralEngine.Core.Agents.OpenAi;

namespace ViralEngine.Core.Agents;

/// <summary>The JSON of agents: in storage and on the wire.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(SnakeCaseWords), typeof(SnakeCaseTruncated)])]
[JsonSerializable(typeof(EchoSettings))]
[JsonSerializable(typeof(HttpSettings))]
[JsonSerializable(typeof(OpenAiSettings))]
[JsonSerializable(typeof(AgentSecrets))]
[JsonSerializable(typeof(HttpAgentRequest))]
[JsonSerializable(typeof(ChatRequest))]
[JsonSerializable(typeof(string))]
internal sealed partial class AgentJson : JsonSerializerContext
{
    internal sealed class SnakeCaseWords() : JsonStringEnumConverter<ErrorClass>(JsonNamingPolicy.SnakeCaseLower);

    internal sealed class SnakeCaseTruncated() : JsonStringEnumConverter<OnTruncated>(JsonNamingPolicy.SnakeCaseLower);
}
