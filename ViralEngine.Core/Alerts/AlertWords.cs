using System.Globalization;
using System.Text.Json;

namespace ViralEngine.Core.Alerts;

/// <summary>The API's and database's spelling of kinds, and the sentences of alerts.</summary>
internal static class AlertWords
{
    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    public static T Parse<T>(string word)
        where T : struct, Enum => Enum.GetValues<T>().First(value => Of(value) == word);

    /// <summary>One sentence: the metric, the agent, the actual and expected values, and the period.</summary>
    public static string Reason(AlertMetric metric, string agentId, SeriesFinding finding)
    {
        var subject = agentId.Length == 0 ? "" : $" of agent {agentId}";
        var than = finding.Direction >= 0 ? "above" : "below";
        var over = finding.ScaleMinutes > 1 ? $" over the last {finding.ScaleMinutes} minutes" : " in the last minute";
        return $"{Name(metric)}{subject} was {Text(metric, finding.Actual)}{over}, "
            + $"{than} the {Text(metric, finding.Low)} to {Text(metric, finding.High)} expected "
            + $"({Text(metric, finding.Expected)} is usual at this time).";
    }

    private static string Name(AlertMetric metric) => metric switch
    {
        AlertMetric.ErrorRate => "The error rate",
        AlertMetric.Latency => "The typical latency",
        AlertMetric.CostPerTask => "The cost per task",
        AlertMetric.Failures => "The number of failures",
        AlertMetric.Throughput => "The throughput",
        AlertMetric.QueueAge => "The queue age",
    };

    private static string Text(AlertMetric metric, double value) => metric switch
    {
        AlertMetric.ErrorRate => string.Create(CultureInfo.InvariantCulture, $"{value * 100:0.##} %"),
        AlertMetric.Latency or AlertMetric.QueueAge => string.Create(CultureInfo.InvariantCulture, $"{value:0.##} s"),
        AlertMetric.CostPerTask => string.Create(CultureInfo.InvariantCulture, $"${value:0.######}"),
        AlertMetric.Failures or AlertMetric.Throughput => string.Create(
            CultureInfo.InvariantCulture, $"{value:0.##} per minute"),
    };
}

/// <summary>A series at a minute under a rule. A score of 1 or more raises an alert.</summary>
/// <param name="Score">In units of the threshold's.</param>
internal readonly record struct SeriesFinding(
    double Score,
    double Threshold,
    int Direction,
    bool MayOpen,
    int ScaleMinutes,
    double Actual,
    double Expected,
    double Low,
    double High,
    double Volume);
