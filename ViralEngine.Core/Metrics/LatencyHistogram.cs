namespace ViralEngine.Core.Metrics;

/// <summary>
/// Durations in logarithmic buckets (DDSketch; Masson, Rim and Lee, VLDB 2019): histograms add up, and a quantile is
/// off by 2 % at most. Written sparsely: bucket, count, bucket, count, …
/// </summary>
public sealed class LatencyHistogram
{
    /// <summary>Seconds; bucket b ends at <c>Least × Base^b</c>.</summary>
    internal const double Least = 0.001;

    internal const double Base = 1.02 / 0.98;

    private readonly SortedDictionary<long, long> counts = [];

    public long Count { get; private set; }

    public static LatencyHistogram Of(IEnumerable<long[]> parts)
    {
        var histogram = new LatencyHistogram();
        foreach (var part in parts)
            histogram.Add(part);
        return histogram;
    }

    public void Add(ReadOnlySpan<long> pairs)
    {
        for (var i = 0; i + 1 < pairs.Length; i += 2)
        {
            counts[pairs[i]] = counts.GetValueOrDefault(pairs[i]) + pairs[i + 1];
            Count += pairs[i + 1];
        }
    }

    /// <summary>Seconds that this share of the durations does not exceed; null without durations.</summary>
    public double? Quantile(double share)
    {
        var rank = (long)Math.Ceiling(share * Count);
        foreach (var (bucket, count) in counts)
        {
            rank -= count;
            if (rank <= 0)
                return Math.Round(Least * Math.Pow(Base, bucket) * 2 / (1 + Base), 6);
        }

        return null;
    }
}
