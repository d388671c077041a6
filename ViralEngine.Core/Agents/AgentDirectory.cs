using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Finds the agents that a request names: built-in ones by their name, the tenant's own by their id.</summary>
public sealed class AgentDirectory(AgentStore store)
{
    /// <summary>
    /// The agent and its fallbacks, in the order in which to try them; empty if the agent does not exist. The
    /// fallbacks' own fallbacks are not used.
    /// </summary>
    public async Task<IReadOnlyList<AgentDefinition>> LoadChainAsync(
        TenantId tenant, string agentId, CancellationToken ct)
    {
        if (BuiltInAgents.Find(agentId) is { } builtIn)
            return [builtIn];
        return Guid.TryParseExact(agentId, "D", out var id) ? await store.LoadChainAsync(tenant, id, ct) : [];
    }

    /// <summary>Whether a request may name this agent.</summary>
    public async Task<bool> ExistsAsync(TenantId tenant, string agentId, CancellationToken ct) =>
        BuiltInAgents.Find(agentId) is not null
        || (Guid.TryParseExact(agentId, "D", out var id) && await store.ExistsAsync(tenant, id, ct));
}
