using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Breakers;

/// <summary>Section <c>Breakers</c>: when a host's breaker opens.</summary>
public sealed class BreakersOptions
{
    public const string Section = "Breakers";

    /// <summary>The share of failures, within the sampling time, at which a host's breaker opens.</summary>
    [Range(0.05, 1)]
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>The minimum number of calls within the sampling time to judge a host.</summary>
    [Range(2, 10_000)]
    public int MinimumCalls { get; set; } = 10;

    [Range(0.5, 3600)]
    public double SamplingSeconds { get; set; } = 30;

    /// <summary>Seconds that an open breaker holds back all calls before it allows a trial call.</summary>
    [Range(0.5, 3600)]
    public double BreakSeconds { get; set; } = 15;

    /// <summary>Seconds after which a trial call is presumed lost with its process, and another is allowed.</summary>
    [Range(1, 3600)]
    public double ProbeSeconds { get; set; } = 60;
}
