using System.Globalization;
using ViralEngine.Console.Parts;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Metrics;

namespace ViralEngine.Console.Metrics;

/// <summary>Metric points as lines of charts, with a point for every step of the window.</summary>
public static class MetricLines
{
    /// <param name="whenNothing">The value of a step without a point: 0 for a count, null for a share.</param>
    public static ChartLine Of(
        string name, string colour, MetricWindow window, IReadOnlyList<MetricPoint> points,
        Func<MetricPoint, double?> value, double? whenNothing)
    {
        var byTime = points.ToDictionary(point => point.At);
        var length = MetricWindow.LengthOf(window.Step);
        var line = new List<ChartPoint>();
        for (var at = new DateTime(window.From.Ticks - (window.From.Ticks % length.Ticks), DateTimeKind.Utc);
            at < window.To;
            at += length)
            line.Add(new ChartPoint(at, byTime.TryGetValue(at, out var point) ? value(point) : whenNothing));
        return new ChartLine(name, colour, line);
    }

    /// <summary>The metric of an alert, in its own unit.</summary>
    public static ChartLine Of(AlertMetric metric, MetricWindow window, IReadOnlyList<MetricPoint> points)
    {
        // The newest step is not over.
        double Minutes(MetricPoint point) =>
            Math.Clamp((window.To - point.At).TotalMinutes, 1, MetricWindow.LengthOf(window.Step).TotalMinutes);
        return metric switch
        {
            AlertMetric.ErrorRate => Of("", "one", window, points, point => point.ErrorRate, null),
            AlertMetric.Latency => Of("", "one", window, points, point => point.LatencyP50, null),
            AlertMetric.CostPerTask =>
                Of(
                    "", "one", window, points,
                    point => point.Completed == 0 ? null : (double)(point.CostUsd / point.Completed), null),
            AlertMetric.Failures => Of("", "one", window, points, point => point.Failed / Minutes(point), 0),
            AlertMetric.Throughput => Of("", "one", window, points, point => point.Finished / Minutes(point), 0),
            AlertMetric.QueueAge => Of("", "one", window, points, point => point.QueueAgeSeconds, 0),
        };
    }

    public static string NameOf(AlertMetric metric) => metric switch
    {
        AlertMetric.ErrorRate => "Error rate",
        AlertMetric.Latency => "Typical latency",
        AlertMetric.CostPerTask => "Cost per task",
        AlertMetric.Failures => "Failures per minute",
        AlertMetric.Throughput => "Finished per minute",
        AlertMetric.QueueAge => "Queue age",
    };

    public static string Text(AlertMetric metric, double value) => metric switch
    {
        AlertMetric.ErrorRate => Figures.Percent(value),
        AlertMetric.Latency or AlertMetric.QueueAge => Figures.Duration(TimeSpan.FromSeconds(value)),
        AlertMetric.CostPerTask => Figures.Money((decimal)value),
        AlertMetric.Failures or AlertMetric.Throughput => Number(value),
    };

    public static string Number(double value) => value.ToString("#,0.##", CultureInfo.InvariantCulture);
}
