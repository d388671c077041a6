using Microsoft.Extensions.Options;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>Which provider runs which kind of agent, each within the limits of the settings.</summary>
public sealed class AgentProviders(OutgoingHttp outgoing, IOptions<AgentsOptions> options, TimeProvider time)
{
    private readonly BoundedProvider echo = new(new EchoProvider(time), options, time);
    private readonly BoundedProvider http = new(new HttpProvider(outgoing, options, time), options, time);
    private readonly BoundedProvider openAi = new(new OpenAiProvider(outgoing, options), options, time);

    public IAgentProvider For(AgentKind kind) => kind switch
    {
        AgentKind.Echo => echo,
        AgentKind.Http => http,
        AgentKind.OpenAi => openAi,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such kind of agent."),
    };
}
