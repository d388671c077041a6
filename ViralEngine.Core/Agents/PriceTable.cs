using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Agents;

/// <summary>
/// The cost of calls: by the agent's own price, then the settings', then list prices that the providers published in
/// 2025, as a starting point. A model without a price has no cost (null), which differs from a cost of 0.
/// </summary>
public sealed partial class PriceTable
{
    private readonly Dictionary<string, TokenPrice> prices = new(StringComparer.OrdinalIgnoreCase)
    {
        ["echo"] = new(0m, 0m),
        ["gpt-4o"] = new(2.50m, 10m),
        ["gpt-4o-mini"] = new(0.15m, 0.60m),
        ["gpt-4.1"] = new(2m, 8m),
        ["gpt-4.1-mini"] = new(0.40m, 1.60m),
        ["gpt-4.1-nano"] = new(0.10m, 0.40m),
        ["gpt-5"] = new(1.25m, 10m),
        ["gpt-5-mini"] = new(0.25m, 2m),
        ["gpt-5-nano"] = new(0.05m, 0.40m),
        ["o3"] = new(2m, 8m),
        ["o4-mini"] = new(1.10m, 4.40m),
        ["llama-3.1-8b-instant"] = new(0.05m, 0.08m),
        ["llama-3.3-70b-versatile"] = new(0.59m, 0.79m),
        ["sonar"] = new(1m, 1m),
        ["sonar-pro"] = new(3m, 15m),
    };

    public PriceTable(IOptions<AgentsOptions> options)
    {
        foreach (var (model, price) in options.Value.Prices)
            prices[model] = new TokenPrice(price.InputPerMillion, price.OutputPerMillion);
    }

    /// <summary>US dollars; null if neither the model that answered nor the requested one has a price.</summary>
    public decimal? CostOf(AgentSettings agent, AgentChunk.Usage usage) =>
        (PriceOf(agent, usage.Model) ?? PriceOf(agent, agent.RequestedModel))
            ?.CostOf(usage.InputTokens, usage.OutputTokens);

    /// <summary>The price for reserving a call's cost in advance.</summary>
    public TokenPrice? PriceOf(AgentSettings agent, string? model)
    {
        if (agent.Price is { } own)
            return own;
        if (model is null)
            return null;

        // Providers report the snapshot they used: gpt-4o-2024-08-06.
        return prices.TryGetValue(model, out var price) || prices.TryGetValue(Snapshot().Replace(model, ""), out price)
            ? price
            : null;
    }

    [GeneratedRegex("-20[0-9]{2}-[0-9]{2}-[0-9]{2}$")]
    private static partial Regex Snapshot();
}
