namespace ViralEngine.Core.Alerts;

public enum AlertStatus
{
    Open,
    Resolved,
}

/// <summary>An alert: one or more metric series that went wrong together.</summary>
/// <param name="Summary">One sentence that says what is wrong.</param>
/// <param name="ResolvedBy">The principal, or <c>recovery</c> if the series recovered; null while open.</param>
/// <param name="MutedUntil">Until then, only its resolution is announced.</param>
/// <param name="AcknowledgedAt">When somebody first said that they are working on it; null if nobody has.</param>
/// <param name="AcknowledgedBy">The principal who said so.</param>
public sealed record Alert(
    Guid Id,
    AlertStatus Status,
    string Summary,
    DateTime OpenedAt,
    DateTime UpdatedAt,
    DateTime? ResolvedAt,
    string? ResolvedBy,
    DateTime? MutedUntil,
    DateTime? AcknowledgedAt,
    string? AcknowledgedBy,
    IReadOnlyList<AlertSeries> Series);

/// <summary>A series of an alert, at its most unusual.</summary>
/// <param name="Expected">The usual value, with the band that holds 999 of 1,000 values.</param>
/// <param name="Score">−log₁₀ of its probability, summed over three scales. From the threshold on, it raises an
/// alert.</param>
/// <param name="Volume">The number of tasks.</param>
/// <param name="Reason">One sentence that says why.</param>
/// <param name="Action">The action of the rule.</param>
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
    /// <summary>The minutes from an hour before the alert to half an hour after its end. Left out in lists.</summary>
    public IReadOnlyList<AlertPoint>? Points { get; init; }
}

/// <summary>A minute of an alert's series.</summary>
/// <param name="Value">In the metric's unit; null if nothing finished, which differs from zero.</param>
public sealed record AlertPoint(DateTime At, double? Value);
