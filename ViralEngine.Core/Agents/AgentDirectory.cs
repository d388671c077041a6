using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Finds the agents that a request names: built-in ones by their name, the tenant's own by their id.</summary>
public sealed class AgentDirectory
{
    /// <summary>The agent and its fallbacks in the order in which to try them; empty where there is none of that id.</summary>
    public Task<IReadOnlyList<AgentDefinition>> LoadChainAsync(TenantId tenant, string agentId, CancellationToken ct) =>
        throw new NotSupportedException();

    /// <summary>Whether a request may name this agent.</summary>
    public Task<bool> ExistsAsync(TenantId tenant, string agentId, CancellationToken ct) =>
        throw new NotSupportedException();
}
