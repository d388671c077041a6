using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents.Guards;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>
/// The provider of each kind of agent, wrapped in the limits of the settings, its host's breaker and the tenant's
/// budgets.
/// </summary>
/// <param name="guards">Null for the bare providers.</param>
public sealed class AgentProviders(
    OutgoingHttp outgoing, AnswerMemory memory, IOptions<AgentsOptions> options, TimeProvider time,
    CallGuards? guards = null)
{
    private readonly Dictionary<AgentKind, IAgentProvider> providers = Enum.GetValues<AgentKind>(
        ).ToDictionary(kind => kind, kind =>
        Guarded(
            new BoundedProvider(kind.Parts().CreateProvider(new(outgoing, memory, options, time)), options, time),
            guards, time));

    public IAgentProvider For(AgentKind kind) => providers[kind];

    /// <summary>Decides when calls start; null for immediately.</summary>
    public FlowControl? Flow => guards?.Flow;

    private static IAgentProvider Guarded(IAgentProvider provider, CallGuards? guards, TimeProvider time) =>
        guards is null
            ? provider
            : new BudgetedProvider(
                new BreakerProvider(provider, guards.Breakers, guards.Register, time), guards.Budgets, guards.Prices);
}
