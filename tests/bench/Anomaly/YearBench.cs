using ViralEngine.Testing.Traffic;

namespace ViralEngine.Anomaly.Bench;

/// <summary>
/// The synthetic year at the defaults, at several volumes: of the incidents that have the documented size, how many are
/// found and how late, and what is raised for nothing.
/// </summary>
internal static class YearBench
{
    private static readonly (string Name, double PerMinute)[] Volumes =
    [
        ("3 a day", 3.0 / 1440), ("100 a day", 100.0 / 1440), ("1 a minute", 1), ("10", 10), ("100", 100),
        ("1,000", 1000), ("5,000", 5000)
    ];

    public static void Run()
    {
        Console.WriteLine(
            "A synthetic year: found of the incidents of detectable size (most minutes until the alarm), "
            + "false alarms a month");
        Console.WriteLine(
            $"{"volume",-12}{string.Concat(Enum.GetNames<IncidentKind>().Select(name => $"{name,15}"))}"
            + "   all  throughput  error rate  latency");
        var rows = new string[Volumes.Length];
        Parallel.For(
            0, Volumes.Length, i => rows[i] = RunOne(Volumes[i].Name, new TrafficYear(Volumes[i].PerMinute, seed: 7)));
        foreach (var row in rows)
            Console.WriteLine(row);
    }

    private static string RunOne(string name, TrafficYear year)
    {
        var result = WatchedYear.Of(year);
        var kinds = Enum.GetValues<IncidentKind>().Select(kind =>
        {
            var planted = year.Incidents.Where(incident => incident.Kind == kind && incident.Visible is not null)
                .ToArray();
            var found = planted.Where(result.Found.ContainsKey).Select(incident => result.Found[incident]).ToArray();
            var late = found.Length == 0 ? "" : $" ({found.Max()})";
            return $"{$"{found.Length} of {planted.Length}{late}",15}";
        });
        var wrong = result.Wrong.Select(count => count / 12.0).ToArray();
        return $"{name,-12}{string.Concat(kinds)}   {wrong.Sum():0.00}"
            + $"{string.Concat(wrong.Select(each => $"{each,10:0.00}"))}";
    }
}
