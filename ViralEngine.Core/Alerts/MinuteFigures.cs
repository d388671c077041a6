using ViralEngine.Core.Alerts.Detection;

namespace ViralEngine.Core.Alerts;

/// <summary>The rolled-up figures of one subject in a minute; zeros without any.</summary>
/// <param name="QueueAge">Null if no task was due, or if queues were not measured.</param>
internal readonly record struct MinuteFigures(
    long Completed, long Failed, decimal CostUsd, long LatencyCount, double LatencyLogSum, double? QueueAge)
{
    public long Finished => Completed + Failed;

    /// <summary>The point in the form that its statistics expect.</summary>
    public Observation ToObservation(AlertMetric metric, long minute) => metric switch
    {
        AlertMetric.ErrorRate => new(minute, Failed, Finished),
        AlertMetric.Latency => new(minute, LatencyCount == 0 ? 0 : LatencyLogSum / LatencyCount, LatencyCount),
        AlertMetric.CostPerTask => CostUsd > 0 && Completed > 0
            ? new(minute, Math.Log((double)CostUsd / Completed), Completed)
            : new(minute, 0, 0),
        AlertMetric.Failures => new(minute, Failed, 1),
        AlertMetric.Throughput => new(minute, Finished, 1),
        AlertMetric.QueueAge => new(minute, QueueAge ?? 0, 1),
    };

    /// <summary>The point in the metric's own unit; weight 0 without a value.</summary>
    public Observation ToPlain(AlertMetric metric, long minute) => metric switch
    {
        AlertMetric.ErrorRate => new(minute, Finished == 0 ? 0 : (double)Failed / Finished, Finished),
        AlertMetric.Latency or AlertMetric.CostPerTask =>
            ToObservation(metric, minute) is { Weight: > 0 } amount
                ? amount with { Value = Math.Exp(amount.Value) }
                : new(minute, 0, 0),
        _ => ToObservation(metric, minute),
    };

    public static SeriesKind KindOf(AlertMetric metric) => metric switch
    {
        AlertMetric.ErrorRate => SeriesKind.Rate,
        AlertMetric.Latency or AlertMetric.CostPerTask => SeriesKind.Amount,
        AlertMetric.Failures or AlertMetric.Throughput => SeriesKind.Count,
        AlertMetric.QueueAge => SeriesKind.Value,
    };
}
