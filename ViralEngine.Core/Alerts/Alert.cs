namespace ViralEngine.Core.Alerts;

public enum AlertStatus
{
    Open,
    Resolved,
}

/// <summary>An incident: one or more series that went wrong together.</summary>
/// <param name="Summary">What is wrong, in a sentence.</param>
/// <param name="ResolvedBy">Who; null while it is open. <c>recovery</c>: by itself.</param>
/// <param name="MutedUntil">Until then nothing is sent of it.</param>
public sealed record Alert(
    Guid Id,
    AlertStatus Status,
    string Summary,
    DateTime OpenedAt,
    DateTime UpdatedAt,
    DateTime? ResolvedAt,
    string? ResolvedBy,
    DateTime? MutedUntil,
    IReadOnlyList<AlertSeries> Series);

/// <summary>A series of an incident, at its strangest.</summary>
/// <param name="Expected">What was usual, with the band in which 999 of 1,000 lie.</param>
/// <param name="Score">−log₁₀ of how likely it was, summed over three scales; from the threshold on it is an
/// alarm.</param>
/// <param name="Volume">How many tasks it is of.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="Action">What the rule did about it.</param>
public sealed record AlertSeries(
    Guid RuleId,
    AlertMetric Metric,
    string? AgentId,
    AlertAction? Action,
    DateTime OpenedAt,
    DateTime? EndedAt,
    AlertDirection Direction,
    double Actual,
    double Expected,
    double Low,
    double High,
    double Score,
    double Threshold,
    double Volume,
    string Reason)
{
    /// <summary>The minutes around it, where one alert is read: an hour before it until half an hour after its end.</summary>
    public IReadOnlyList<AlertPoint>? Points { get; init; }
}

/// <summary>A minute of an alert's series.</summary>
/// <param name="Value">In the metric's unit; null: nothing finished, which is not zero.</param>
public sealed record AlertPoint(DateTime At, double? Value);
