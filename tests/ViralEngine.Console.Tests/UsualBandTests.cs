using ViralEngine.Console.Metrics;
using ViralEngine.Console.Parts;
using ViralEngine.Core.Metrics;

namespace ViralEngine.Console.Tests;

public sealed class UsualBandTests
{
    private static readonly DateTime Noon = new(2031, 5, 20, 12, 0, 0, DateTimeKind.Utc);
    private static readonly MetricWindow LastDay = new(Noon.AddDays(-1), Noon, MetricStep.Hour, MetricGroup.None, null);

    [Fact]
    public void What_is_usual_is_learned_hour_by_hour_and_without_what_was_rare()
    {
        // Three at night and ten by day; one day of a thousand, and a last day that is like nothing before.
        var line = LineOf(
            at => at > Noon.AddDays(-1) ? 500 : at.Date == Noon.Date.AddDays(-6) ? 1000 : at.Hour < 6 ? 3 : 10);

        var (shown, band) = UsualBand.Of(line, LastDay);

        Assert.Equal(25, shown.Points.Count);
        Assert.All(shown.Points.Skip(1), point => Assert.Equal(500, point.Value));
        Assert.Equal(shown.Points.Select(point => point.At), band.Select(each => each.At));
        Assert.All(band, each => Assert.Equal(
            each.At.Hour < 6 ? (3.0, 3.0, 3.0) : (10.0, 10.0, 10.0), (each.Low, each.Expected, each.High)));
    }

    [Fact]
    public void Four_days_say_nothing_yet()
    {
        var line = LineOf(at => at < Noon.AddDays(-4).AddHours(-12) ? 0 : 10);

        Assert.Empty(UsualBand.Of(line, LastDay).Band);
    }

    [Fact]
    public void Hours_in_which_nothing_was_measured_are_no_zeros()
    {
        var line = LineOf(at => at.Day % 2 == 0 ? null : 7);

        var band = UsualBand.Of(line, LastDay).Band;

        Assert.NotEmpty(band);
        Assert.All(band, each => Assert.Equal(7, each.Low));
    }

    private static ChartLine LineOf(Func<DateTime, double?> value)
    {
        var window = UsualBand.Before(LastDay);
        var hours = (int)(window.To - window.From).TotalHours;
        return new ChartLine(
            "", "one",
            [
                .. Enumerable.Range(0, hours + 1).Select(hour => window.From.AddHours(hour))
                    .Select(at => new ChartPoint(at, value(at))),
            ]);
    }
}
