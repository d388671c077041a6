using Microsoft.Extensions.Options;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>Which provider runs which kind of agent, each within the limits of the settings.</summary>
/// <param name="budgets">Null: calls are free.</param>
public sealed class AgentProviders(
    OutgoingHttp outgoing, IOptions<AgentsOptions> options, TimeProvider time, Budgets? budgets = null, PriceTable? prices = null)
{
    private readonly Dictionary<AgentKind, IAgentProvider> providers = new()
    {
        [AgentKind.Echo] = Within(new EchoProvider(time), options, time, budgets, prices),
        [AgentKind.Http] = Within(new HttpProvider(outgoing, options, time), options, time, budgets, prices),
        [AgentKind.OpenAi] = Within(new OpenAiProvider(outgoing, options), options, time, budgets, prices),
    };

    public IAgentProvider For(AgentKind kind) => providers[kind];

    private static IAgentProvider Within(
        IAgentProvider provider, IOptions<AgentsOptions> options, TimeProvider time, Budgets? budgets, PriceTable? prices)
    {
        var bounded = new BoundedProvider(provider, options, time);
        return budgets is null || prices is null ? bounded : new BudgetedProvider(bounded, budgets, prices);
    }
}
