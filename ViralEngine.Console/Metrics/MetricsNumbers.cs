namespace ViralEngine.Console.Metrics;

/// <summary>The figures at the top of the metrics page.</summary>
public sealed record MetricsNumbers(
    StretchNumbers Hour, StretchNumbers Day, IReadOnlyList<(string AgentId, StretchNumbers LastDay)> Agents,
    int OpenAlerts);

/// <param name="ErrorRate">The share of finished work that failed; null if nothing finished.</param>
public sealed record StretchNumbers(
    long Finished, double? ErrorRate, decimal CostUsd, long InputTokens, long OutputTokens);
