using ViralEngine.Core.Breakers;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Whether the breaker of its provider's host holds back an agent's calls.</summary>
public sealed class AgentBreaker(AgentDirectory agents, BreakerRegister register, TimeProvider time)
{
    /// <summary>Null if the agent does not exist or calls no host.</summary>
    public async Task<AgentBreakerState?> ReadAsync(TenantId tenant, string agentId, CancellationToken ct)
    {
        if (await agents.LoadChainAsync(tenant, agentId, ct) is not [var agent, ..])
            return null;
        var call = new AgentCall(tenant.Value, Guid.Empty, 1, agent, "", null, TimeSpan.Zero);
        if (call.Host is not { } host)
            return null;
        DateTimeOffset?[] until =
            [await register.OpenUntilAsync(host), await register.OpenUntilAsync(BreakerKey.Of(tenant.Value, host))];
        var last = until.Max();
        return new AgentBreakerState(
            host, last is null ? "closed" : last > time.GetUtcNow() ? "open" : "half_open", last?.UtcDateTime);
    }
}

/// <param name="State"> <c>closed</c>: calls go out; <c>open</c>: they wait; <c>half_open</c>: the next call tests
/// whether the host has recovered. </param>
/// <param name="OpenUntil">When the trial call may be made.</param>
public sealed record AgentBreakerState(string Host, string State, DateTime? OpenUntil);
