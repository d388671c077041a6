using System.Globalization;

namespace ViralEngine.Core.Alerts;

public enum AlertMetric
{
    /// <summary>The share of finished work that failed.</summary>
    ErrorRate,

    /// <summary>Seconds per answer: the geometric mean.</summary>
    Latency,

    /// <summary>US dollars: the mean of the tasks completed in a minute.</summary>
    CostPerTask,

    /// <summary>Failures per minute.</summary>
    Failures,

    /// <summary>Finished tasks per minute.</summary>
    Throughput,

    /// <summary>Seconds that the oldest due task has waited, in the whole organization.</summary>
    QueueAge,
}

public enum AlertMode
{
    /// <summary>Learns what is usual and alerts at a rate of false alarms.</summary>
    Anomaly,

    /// <summary>
    /// More than three standard deviations from the mean of at least 100 points; latency over twice its mean.
    /// </summary>
    Simple,

    /// <summary>Beyond a fixed bound.</summary>
    Static,
}

public enum AlertDirection
{
    Above,
    Below,
    Both,
}

public enum AlertAction
{
    /// <summary>The agent's tasks wait; none fails.</summary>
    PauseAgent,

    /// <summary>The agent's tasks go to its fallbacks.</summary>
    UseFallback,

    /// <summary>The agent makes half as many concurrent calls.</summary>
    HalveConcurrency,
}

/// <summary>What is watched, and when it raises an alert.</summary>
/// <param name="AgentId">Null for the whole organization.</param>
/// <param name="FalseAlarmsPerMonth">The acceptable number of false alarms. Fewer means fewer alerts, and later
/// ones.</param>
/// <param name="LeastVolume">Windows with fewer tasks raise no alert.</param>
/// <param name="QuietFrom">Start of quiet hours, <c>HH:mm</c>: no alert is opened or updated during them.</param>
public sealed record AlertRule(
    Guid Id,
    string Name,
    AlertMetric Metric,
    string? AgentId,
    AlertMode Mode,
    AlertDirection Direction,
    double FalseAlarmsPerMonth,
    int LeastVolume,
    double? BoundAbove,
    double? BoundBelow,
    string? QuietFrom,
    string? QuietTo,
    string TimeZone,
    AlertAction? Action,
    bool Enabled,
    string CreatedBy,
    DateTime CreatedAt,
    DateTime UpdatedAt)
{
    public const int MaxPerTenant = 100;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    internal static string? Text(TimeOnly? time) => time?.ToString("HH:mm", Culture);

    /// <summary>Whether this time is in quiet hours.</summary>
    public bool IsQuiet(DateTime utc)
    {
        if (QuietFrom is null || QuietTo is null)
            return false;
        var (from, to) = (TimeOnly.Parse(QuietFrom, Culture), TimeOnly.Parse(QuietTo, Culture));
        var zone = TimeZoneInfo.FindSystemTimeZoneById(TimeZone);
        var local = TimeOnly.FromDateTime(TimeZoneInfo.ConvertTimeFromUtc(utc, zone));
        return local.IsBetween(from, to);
    }
}
