namespace ViralEngine.Core.Metrics;

public enum MetricStep
{
    Minute,
    Hour,
    Day,
}

public enum MetricGroup
{
    None,
    Agent,
    Provider,
    Model,
}

/// <summary>The metrics of one step of time.</summary>
/// <param name="At">The start of the step, UTC.</param>
/// <param name="Finished">Tasks and batch items that completed or failed.</param>
/// <param name="Retried">Attempts that failed and are retried.</param>
/// <param name="ErrorRate">The share of finished work that failed; null if nothing finished.</param>
/// <param name="LatencyP50">Seconds from the start of the successful attempt, within 2 %.</param>
/// <param name="TimeToFirstTokenP50">Seconds from the call to the first piece of the answer, within 2 %.</param>
/// <param name="QueueAgeSeconds">Seconds that the oldest due task had waited; only for the whole organization.</param>
public sealed record MetricPoint(
    DateTime At,
    long Finished,
    long Completed,
    long Failed,
    long Retried,
    double? ErrorRate,
    double? LatencyP50,
    double? LatencyP95,
    double? LatencyP99,
    double? TimeToFirstTokenP50,
    double? TimeToFirstTokenP95,
    double? TimeToFirstTokenP99,
    decimal CostUsd,
    long InputTokens,
    long OutputTokens,
    double? QueueAgeSeconds);

/// <param name="Group">The agent's id, the provider or the model; null without grouping.</param>
public sealed record MetricSeries(string? Group, IReadOnlyList<MetricPoint> Points);

/// <summary>Sums for dashboards, each at the start of its period.</summary>
/// <param name="Agents">The last day of each agent: series of one point.</param>
public sealed record MetricTotals(MetricPoint LastHour, MetricPoint LastDay, IReadOnlyList<MetricSeries> Agents);

/// <param name="From">Inclusive.</param>
/// <param name="To">Exclusive.</param>
public sealed record MetricWindow(DateTime From, DateTime To, MetricStep Step, MetricGroup Group, string? AgentId)
{
    /// <summary>The maximum number of steps in one response: a day of minutes, or four years of days.</summary>
    public const int MaxSteps = 1500;

    public int Steps => (int)Math.Min(int.MaxValue, Math.Ceiling((To - From) / LengthOf(Step)));

    public static TimeSpan LengthOf(MetricStep step) => step switch
    {
        MetricStep.Minute => TimeSpan.FromMinutes(1),
        MetricStep.Hour => TimeSpan.FromHours(1),
        MetricStep.Day => TimeSpan.FromDays(1),
    };
}
