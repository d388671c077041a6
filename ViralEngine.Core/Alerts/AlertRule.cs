using System.Globalization;

namespace ViralEngine.Core.Alerts;

public enum AlertMetric
{
    /// <summary>Failed of finished.</summary>
    ErrorRate,

    /// <summary>The typical seconds of an answer: the geometric mean.</summary>
    Latency,

    /// <summary>US dollars, the mean of the tasks that completed in a minute.</summary>
    CostPerTask,

    /// <summary>Failures a minute.</summary>
    Failures,

    /// <summary>Finished a minute.</summary>
    Throughput,

    /// <summary>Seconds that the oldest due task has waited; of the organization as a whole.</summary>
    QueueAge,
}

public enum AlertMode
{
    /// <summary>By what was learnt of the series, at a rate of false alarms.</summary>
    Anomaly,

    /// <summary>
    /// More than three standard deviations from the mean of at least 100 points; latency over twice its mean.
    /// </summary>
    Simple,

    /// <summary>Beyond a bound.</summary>
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

    /// <summary>The agent makes half as many calls at a time.</summary>
    HalveConcurrency,
}

/// <summary>What is watched, and when it is worth an alert.</summary>
/// <param name="AgentId">Null: the organization as a whole.</param>
/// <param name="FalseAlarmsPerMonth">How often the rule may be wrong; smaller is quieter and slower.</param>
/// <param name="LeastVolume">Windows of fewer tasks raise nothing.</param>
/// <param name="QuietFrom">From this time of day no alert is opened, <c>HH:mm</c>.</param>
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

    /// <summary>Whether no alert is to be opened at this time.</summary>
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
