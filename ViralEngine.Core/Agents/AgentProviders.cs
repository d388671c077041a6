using Microsoft.Extensions.Options;
using ViralEngine.Core.Breakers;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>
/// The provider of each kind of agent, wrapped in the limits of the settings, its host's breaker and the tenant's budgets.
/// </summary>
/// <param name="guards">Null for the bare providers.</param>
public sealed class AgentProviders(
    OutgoingHttp outgoing, AnswerMemory memory, IOptions<AgentsOptions> options, TimeProvider time, CallGuards? guards = null)
{
    private readonly Dictionary<AgentKind, IAgentProvider> providers = new()
    {
        [AgentKind.Echo] = Guarded(new BoundedProvider(new EchoProvider(time), options, time), guards, time),
        [AgentKind.Http] = Guarded(new BoundedProvider(new HttpProvider(outgoing, memory, options, time), options, time), guards, time),
        [AgentKind.OpenAi] = Guarded(new BoundedProvider(new OpenAiProvider(outgoing, memory, options, time), options, time), guards, time),
    };

    public IAgentProvider For(AgentKind kind) => providers[kind];

    /// <summary>Decides when calls start; null for immediately.</summary>
    public FlowControl? Flow => guards?.Flow;

    private static IAgentProvider Guarded(IAgentProvider provider, CallGuards? guards, TimeProvider time) =>
        guards is null
            ? provider
            : new BudgetedProvider(
                new BreakerProvider(provider, guards.Breakers, guards.Register, time), guards.Budgets, guards.Prices);
}

/// <summary>What decides whether a call is made, besides the provider.</summary>
public sealed record CallGuards(
    CircuitBreakers Breakers, BreakerRegister Register, Budgets Budgets, PriceTable Prices, FlowControl Flow);
