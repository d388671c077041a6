namespace ViralEngine.Bench;

/// <summary>Prints figures in one form: name, value, and what it is held against.</summary>
internal static class Report
{
    public static void Line(string name, string value, string? ratio = null) =>
        Console.WriteLine(ratio is null ? $"{name,-44} {value}" : $"{name,-44} {value,-44} {ratio}");

    public static double Percentile(IReadOnlyList<double> sorted, double share) =>
        sorted[Math.Min(sorted.Count - 1, (int)Math.Ceiling(sorted.Count * share) - 1)];
}
