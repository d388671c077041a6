namespace ViralEngine.Core.Agents;

/// <summary>Which provider runs which kind of agent.</summary>
public sealed class AgentProviders(IReadOnlyDictionary<AgentKind, IAgentProvider> providers)
{
    public IAgentProvider For(AgentKind kind) => providers[kind];
}
