using ViralEngine.Core.Breakers;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Limits;

namespace ViralEngine.Core.Agents.Guards;

/// <summary>What decides whether a call is made, besides the provider.</summary>
public sealed record CallGuards(
    CircuitBreakers Breakers, BreakerRegister Register, Budgets Budgets, PriceTable Prices, FlowControl Flow);
