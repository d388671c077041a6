using ViralEngine.Core.Alerts.Detection;
using ViralEngine.Testing.Traffic;

namespace ViralEngine.Anomaly.Bench;

/// <summary>A thousand series of noise: how many alarms a month there are, and how many were allowed.</summary>
internal static class NoiseBench
{
    private const int Days = 60;
    private const int Learning = 20;

    public static void Run()
    {
        Console.WriteLine(
            $"Noise, 250 series of each kind over {Days} days: alarms a month in the last {Days - Learning}, "
            + "where so many are allowed");
        Console.WriteLine($"{"noise",-24}{"kind",-8}{"0.5",10}{"1",10}{"2",10}");
        Measure("Gaussian", SeriesKind.Value, (_, noise) => _ => new(0, noise.Normal(), 1));
        Measure("Poisson", SeriesKind.Count, (i, noise) => _ => new(0, noise.Poisson(0.1 * Math.Pow(10, i % 5)), 1));
        Measure("log-normal", SeriesKind.Amount, (i, noise) => _ => LogNormal(noise, i));
        Measure("autocorrelated (0.98)", SeriesKind.Value, (_, noise) =>
        {
            var last = 0.0;
            return _ => new(0, last = (0.98 * last) + (0.2 * noise.Normal()), 1);
        });
    }

    private static Observation LogNormal(Noise noise, int series)
    {
        var tasks = noise.Poisson(3 * Math.Pow(5, series % 4));
        return new(0, tasks == 0 ? 0 : noise.Normal() / Math.Sqrt(tasks), tasks);
    }

    private static void Measure(string name, SeriesKind kind, Func<int, Noise, Func<int, Observation>> make)
    {
        var allowed = new[] { 0.5, 1, 2 };
        var alarms = new int[allowed.Length];
        const int Series = 250;
        Parallel.For(0, Series, series =>
        {
            var next = make(series, new Noise(series));
            var detector = new SeriesDetector(kind);
            var alarm = allowed.Select(rate => new AlarmState()).ToArray();
            for (var minute = 0; minute < Days * 1440; minute++)
            {
                var verdict = detector.Observe(next(minute) with { Minute = minute });
                for (var i = 0; i < allowed.Length; i++)
                {
                    if (alarm[i].Step(verdict, detector.Threshold(allowed[i])) == AlarmStep.Opened
                        && minute >= Learning * 1440)
                        Interlocked.Increment(ref alarms[i]);
                }
            }
        });
        Console.WriteLine(
            $"{name,-24}{kind,-8}"
            + $"{string.Concat(alarms.Select(count => $"{count / (double)Series / (Days - Learning) * 30,10:0.00}"))}");
    }
}
