using System.Runtime.CompilerServices;
using ViralEngine.Core.Limits;

namespace ViralEngine.Core.Agents.Guards;

/// <summary>Calls a provider within the budgets of the tenant and the agent.</summary>
internal sealed class BudgetedProvider(IAgentProvider inner, Budgets budgets, PriceTable prices) : IAgentProvider
{
    public async IAsyncEnumerable<AgentChunk> RunAsync(
        AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        var reserved = await budgets.ReserveAsync(call, ct);
        AgentChunk.Usage? usage = null;
        try
        {
            await foreach (var chunk in inner.RunAsync(call, ct))
            {
                var passed = chunk;
                if (chunk is AgentChunk.ImpossibleUsage)
                {
                    budgets.Refuse(call);
                    passed = budgets.EstimateOf(call);
                }

                usage = passed as AgentChunk.Usage ?? usage;
                yield return passed;
            }
        }
        finally
        {
            var cost = usage is null ? 0 : prices.CostOf(call.Agent.Settings, usage) ?? 0;
            await budgets.SettleAsync(call, reserved, cost);
        }
    }
}
