using ViralEngine.Core.Breakers;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Tells whether calls of an agent are held back by the breaker of its provider's host.</summary>
public sealed class AgentBreaker(AgentDirectory agents, BreakerRegister register, TimeProvider time)
{
    /// <summary>Null: there is no such agent, or it calls no host.</summary>
    public async Task<AgentBreakerState?> ReadAsync(TenantId tenant, string agentId, CancellationToken ct)
    {
        if (await agents.LoadChainAsync(tenant, agentId, ct) is not [var agent, ..])
            return null;
        var call = new AgentCall(tenant.Value, Guid.Empty, 1, agent, "", null, TimeSpan.Zero);
        if (BreakerProvider.HostOf(call) is not { } host)
            return null;
        DateTimeOffset?[] until =
            [await register.OpenUntilAsync(host), await register.OpenUntilAsync(BreakerKey.Of(tenant.Value, host))];
        var last = until.Max();
        return new AgentBreakerState(host, last is null ? "closed" : last > time.GetUtcNow() ? "open" : "half_open", last?.UtcDateTime);
    }
}

/// <param name="State">
/// <c>closed</c>: calls go out; <c>open</c>: they wait; <c>half_open</c>: the next one tries whether the host is well again.
/// </param>
/// <param name="OpenUntil">When a call may try.</param>
public sealed record AgentBreakerState(string Host, string State, DateTime? OpenUntil);
