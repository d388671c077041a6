using ViralEngine.Console.Parts;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Metrics;

namespace ViralEngine.Console.Metrics;

/// <summary>A metric over a window of hours, with what is usual at each hour and the incidents in it.</summary>
public sealed record ExpectedChart(
    AlertMetric Metric, DateTime From, DateTime To, ChartLine Line, IReadOnlyList<ChartBand> Band,
    IReadOnlyList<(DateTime From, DateTime To)> Incidents)
{
    /// <summary>How many of the newest alerts are looked through for incidents.</summary>
    public const int MaxAlerts = 50;

    /// <param name="points">Of <see cref="UsualBand.Before"/>.</param>
    public static ExpectedChart Of(
        AlertMetric metric, MetricWindow window, IReadOnlyList<MetricPoint> points, IReadOnlyList<Alert> alerts)
    {
        var (line, band) = UsualBand.Of(MetricLines.Of(metric, UsualBand.Before(window), points), window);
        return new ExpectedChart(metric, window.From, window.To, line, band, IncidentsOf(metric, window, alerts));
    }

    /// <summary>When series of the metric were unusual, of all agents or of the window's.</summary>
    public static IReadOnlyList<(DateTime From, DateTime To)> IncidentsOf(
        AlertMetric metric, MetricWindow window, IReadOnlyList<Alert> alerts) =>
    [
        .. alerts.SelectMany(alert => alert.Series)
            .Where(series => series.Metric == metric && (window.AgentId is null || series.AgentId == window.AgentId))
            .Select(series => (From: series.OpenedAt, To: series.EndedAt ?? window.To))
            .Where(incident => incident.To > window.From && incident.From < window.To),
    ];
}
