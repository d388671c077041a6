using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents.Echo;
using ViralEngine.Core.Agents.Http;
using ViralEngine.Core.Agents.OpenAi;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>The kind of provider an agent calls.</summary>
public enum AgentKind
{
    /// <summary>Built in and deterministic: returns the description, as slowly or wrongly as configured.</summary>
    Echo,

    /// <summary>POSTs the task to one of the tenant's URLs.</summary>
    Http,

    /// <summary>Speaks the OpenAI chat-completions protocol.</summary>
    OpenAi,
}

public static class AgentKinds
{
    public static readonly IReadOnlyDictionary<string, AgentKind> ByName = Enum.GetValues<AgentKind>()
        .ToDictionary(ToText);

    /// <summary>As the API and the database spell it: <c>openai</c>.</summary>
    public static string ToText(this AgentKind kind) => kind.Parts().Name;

    /// <summary>For people who choose one.</summary>
    public static string Label(this AgentKind kind) => kind.Parts().Label;

    /// <summary>A kind that is missing here does not compile.</summary>
    internal static AgentKindParts Parts(this AgentKind kind) => kind switch
    {
        AgentKind.Echo => EchoSettings.Parts,
        AgentKind.Http => HttpSettings.Parts,
        AgentKind.OpenAi => OpenAiSettings.Parts,
    };
}

/// <summary>
/// What there is once for each kind of agent; the rest of it is what <see cref="AgentSettings"/> asks of its settings.
/// </summary>
/// <param name="Name">As the API and the database spell it.</param>
/// <param name="Label">For people who choose one.</param>
/// <param name="Read">Reads its own settings from a request.</param>
/// <param name="Json">Its settings in storage and responses.</param>
internal sealed record AgentKindParts(
    string Name,
    string Label,
    Func<FieldReader, SettingsRules, AgentSettings> Read,
    JsonTypeInfo Json,
    Func<ProviderServices, IAgentProvider> CreateProvider);

/// <summary>What providers are made of.</summary>
internal sealed record ProviderServices(
    OutgoingHttp Outgoing, AnswerMemory Memory, IOptions<AgentsOptions> Options, TimeProvider Time);
