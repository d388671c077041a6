using System.Diagnostics;
using System.Globalization;
using ViralEngine.Core.Alerts.Detection;

namespace ViralEngine.Anomaly.Bench;

/// <summary>
/// Reads files of `timestamp,value` and writes `timestamp,anomaly_score` beside their names, point by point.
/// </summary>
internal static class NabBench
{
    public static void Run(string data, string output, bool simple)
    {
        long points = 0;
        var inDetector = TimeSpan.Zero;
        foreach (var file in Directory.GetFiles(data, "*.csv", SearchOption.AllDirectories).Order(
            StringComparer.Ordinal))
        {
            var rows = File.ReadLines(file).Skip(1).Where(line => line.Length > 0).Select(Parse).ToArray();
            var scores = new double[rows.Length];
            Func<Observation, double> score = simple ? Simple() : Default();
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < rows.Length; i++)
                scores[i] = score(rows[i].Point);
            inDetector += Stopwatch.GetElapsedTime(started);
            points += rows.Length;

            var target = Path.Combine(output, Path.GetRelativePath(data, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllLines(target, rows.Select((row, i) => string.Create(
                CultureInfo.InvariantCulture,
                $"{row.Timestamp},{scores[i]:0.######}")).Prepend("timestamp,anomaly_score"));
        }

        Console.WriteLine(
            $"{points:N0} points, {points / inDetector.TotalSeconds:N0} a second on one core, state carried in memory");
    }

    /// <summary>A score that is no record goes on with an incident; from 0 to 1, and higher is stranger.</summary>
    private static Func<Observation, double> Default()
    {
        var detector = new SeriesDetector(SeriesKind.Value);
        return point =>
        {
            var verdict = detector.Observe(point);
            return verdict.IsRecord ? verdict.Score / (verdict.Score + 10) : 0;
        };
    }

    private static Func<Observation, double> Simple()
    {
        var detector = new SimpleDetector(SimpleRule.Deviation);
        return point =>
        {
            var verdict = detector.Observe(point);
            return verdict.Score / (verdict.Score + 10);
        };
    }

    private static (string Timestamp, Observation Point) Parse(string line)
    {
        var comma = line.IndexOf(',', StringComparison.Ordinal);
        var timestamp = line[..comma];
        var at = DateTime.Parse(
            timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
        var value = double.Parse(line.AsSpan(comma + 1), CultureInfo.InvariantCulture);
        return (timestamp, new Observation(Observation.MinuteOf(at), value, 1));
    }
}
