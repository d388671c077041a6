using System.Globalization;
using System.Text.RegularExpressions;

namespace ViralEngine.Bench;

/// <summary>What wrk printed.</summary>
internal sealed partial record WrkResult(double PerSecond, double P50Ms, double P99Ms)
{
    public static WrkResult Parse(string output)
    {
        // A run whose answers were errors would be the fastest of all.
        if (output.Contains("Non-2xx", StringComparison.Ordinal)
            || output.Contains("Socket errors", StringComparison.Ordinal))
            throw new InvalidOperationException($"Some requests failed:\n{output}");
        return new WrkResult(
            double.Parse(Rate().Match(output).Groups[1].ValueSpan, CultureInfo.InvariantCulture),
            Latency(output, "50%"),
            Latency(output, "99%"));
    }

    private static double Latency(string output, string percentile)
    {
        var match = Regex.Match(output, Regex.Escape(percentile) + @"\s+([0-9.]+)(us|ms|s)");
        var value = double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch { "us" => value / 1000, "ms" => value, _ => value * 1000 };
    }

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex Rate();
}
