using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Metrics;

/// <summary>How long metrics are kept, in days, section <c>Metrics</c>.</summary>
public sealed class MetricsOptions
{
    public const string Section = "Metrics";

    [Range(1, 3650, ErrorMessage = "Metrics:MinutesDays must be 1 to 3,650.")]
    public int MinutesDays { get; set; } = 40;

    [Range(1, 3650, ErrorMessage = "Metrics:HoursDays must be 1 to 3,650.")]
    public int HoursDays { get; set; } = 400;

    [Range(1, 36_500, ErrorMessage = "Metrics:DaysDays must be 1 to 36,500.")]
    public int DaysDays { get; set; } = 1_830;

    /// <summary>Alerts that are resolved.</summary>
    [Range(1, 36_500, ErrorMessage = "Metrics:AlertsDays must be 1 to 36,500.")]
    public int AlertsDays { get; set; } = 365;
}
