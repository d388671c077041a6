namespace ViralEngine.Console.Metrics;

/// <summary>What the page of metrics opens with.</summary>
public sealed record MetricsNumbers(
    StretchNumbers Hour, StretchNumbers Day, IReadOnlyList<(string AgentId, StretchNumbers LastDay)> Agents, int OpenAlerts);

/// <param name="ErrorRate">Failed of finished; null where nothing finished.</param>
public sealed record StretchNumbers(long Finished, double? ErrorRate, decimal CostUsd, long InputTokens, long OutputTokens);
