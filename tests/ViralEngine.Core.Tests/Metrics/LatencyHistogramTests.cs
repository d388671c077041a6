using ViralEngine.Core.Metrics;
using ViralEngine.Testing.Traffic;

namespace ViralEngine.Core.Tests.Metrics;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Quantiles_of_merged_histograms_are_within_two_per_cent_of_the_true_ones()
    {
        var noise = new Noise(1);
        var seconds = Enumerable.Range(0, 20_000).Select(_ => Math.Exp(2 * noise.Normal())).ToArray();
        var merged = new LatencyHistogram();
        foreach (var part in seconds.Chunk(777))
            merged.Add([.. part.SelectMany(value => new[] { BucketOf(value), 1L })]);

        Array.Sort(seconds);
        foreach (var share in new[] { 0.01, 0.5, 0.95, 0.99, 0.999 })
        {
            var exact = seconds[(int)Math.Ceiling(share * seconds.Length) - 1];
            Assert.InRange(merged.Quantile(share)!.Value, exact * 0.9799, exact * 1.0201);
        }
    }

    [Fact]
    public void There_is_no_quantile_of_nothing() => Assert.Null(new LatencyHistogram().Quantile(0.5));

    /// <summary>The published rule: values in a bucket differ by (1 + a) / (1 − a), with a = 2 %.</summary>
    private static long BucketOf(double seconds) =>
        (long)Math.Ceiling(Math.Log(seconds / 0.001) / Math.Log(1.02 / 0.98));
}
