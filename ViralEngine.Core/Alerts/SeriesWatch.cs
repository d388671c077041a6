using ViralEngine.Core.Alerts.Detection;

namespace ViralEngine.Core.Alerts;

/// <summary>A watched series: its detector and last verdict, shared by its rules.</summary>
internal sealed class SeriesWatch
{
    private readonly AlertMetric metric;
    private readonly SeriesDetector? detector;
    private readonly SimpleDetector? simple;
    private Verdict verdict;

    private SeriesWatch(AlertMetric metric, SeriesDetector? detector, SimpleDetector? simple) =>
        (this.metric, this.detector, this.simple) = (metric, detector, simple);

    /// <param name="state">If null or of another version, learning starts over.</param>
    public static SeriesWatch Open(AlertMetric metric, AlertMode mode, byte[]? state) => mode == AlertMode.Simple
        ? new(metric, null, SimpleDetector.Read(RuleOf(metric), state))
        : new(
            metric,
            (state is null ? null : SeriesDetector.TryRead(state)) ?? new SeriesDetector(MinuteFigures.KindOf(metric)),
            null);

    public void Observe(MinuteFigures figures, long minute) => verdict = detector is not null
        ? detector.Observe(figures.ToObservation(metric, minute))
        : simple!.Observe(figures.ToPlain(metric, minute));

    public byte[] Write() => detector?.Write() ?? simple!.Write();

    public SeriesFinding Find(AlertRule rule)
    {
        var threshold = detector?.Threshold(rule.FalseAlarmsPerMonth) ?? 1;
        var fits = rule.Direction == AlertDirection.Both
            || verdict.Direction == (rule.Direction == AlertDirection.Above ? 1 : -1);
        // Silence has no volume: use the expected one.
        var volume = metric is AlertMetric.Throughput or AlertMetric.Failures
            ? Math.Max(verdict.Weight, verdict.Expected * verdict.ScaleMinutes)
            : verdict.Weight;
        return new SeriesFinding(
            fits ? verdict.Score : 0, threshold, verdict.Direction,
            verdict.Settled && verdict.IsRecord && volume >= rule.LeastVolume,
            verdict.ScaleMinutes, verdict.Actual, verdict.Expected, verdict.Low, verdict.High, verdict.Weight);
    }

    /// <summary>A rule with fixed bounds needs only the minute.</summary>
    public static SeriesFinding Bound(AlertRule rule, MinuteFigures figures, long minute)
    {
        var point = figures.ToPlain(rule.Metric, minute);
        var (low, high) = (rule.BoundBelow ?? double.NegativeInfinity, rule.BoundAbove ?? double.PositiveInfinity);
        var direction = point.Value > high ? 1 : point.Value < low ? -1 : 0;
        var counts = rule.Metric is AlertMetric.Throughput or AlertMetric.Failures or AlertMetric.QueueAge;
        var enough = counts || (point.Weight > 0 && point.Weight >= rule.LeastVolume);
        return new SeriesFinding(
            enough && direction != 0 ? 1 : 0, 1, direction, enough, 1, point.Value,
            double.IsFinite(high) ? high : low, double.IsFinite(low) ? low : 0, double.IsFinite(high) ? high : low,
            point.Weight);
    }

    private static SimpleRule RuleOf(AlertMetric metric) =>
        metric == AlertMetric.Latency ? SimpleRule.Doubled : SimpleRule.Deviation;
}
