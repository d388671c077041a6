using ViralEngine.Console.Parts;
using ViralEngine.Core.Metrics;

namespace ViralEngine.Console.Metrics;

/// <summary>
/// What is usual at each hour: the values of the same hour of the days before, without the tenth that is lowest and the
/// tenth that is highest.
/// </summary>
public static class UsualBand
{
    private const int Days = 14;

    /// <summary>Fewer say nothing.</summary>
    private const int LeastDays = 5;

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>The window to read: that of a chart by hours, and the days before it.</summary>
    public static MetricWindow Before(MetricWindow window) => window with { From = window.From - (Days * Day) };

    /// <param name="line">A value for each hour of <see cref="Before"/>.</param>
    /// <param name="window">The chart's own.</param>
    /// <returns>The line within the window, and the band around it.</returns>
    public static (ChartLine Line, IReadOnlyList<ChartBand> Band) Of(ChartLine line, MetricWindow window)
    {
        var byTime = line.Points.ToDictionary(point => point.At, point => point.Value);
        var shown = line.Points.Where(point => point.At > window.From - MetricWindow.LengthOf(window.Step)).ToList();
        // What was before the first work says nothing.
        var first = line.Points.FirstOrDefault(point => point.Value > 0).At;
        var band = new List<ChartBand>();
        foreach (var at in shown.Select(point => point.At))
        {
            var usual = Enumerable.Range(1, Days).Select(days => at - (days * Day)).Where(before => before >= first)
                .Select(before => byTime.GetValueOrDefault(before)).OfType<double>().Order().ToList();
            if (usual.Count >= LeastDays)
                band.Add(new ChartBand(at, At(usual, 0.1), At(usual, 0.9), At(usual, 0.5)));
        }

        return (line with { Points = shown }, band);
    }

    private static double At(List<double> ordered, double share) =>
        ordered[(int)Math.Round(share * (ordered.Count - 1), MidpointRounding.AwayFromZero)];
}
