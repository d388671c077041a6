using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Breakers;

/// <summary>Section <c>Breakers</c>: when calls to a host are held back.</summary>
public sealed class BreakersOptions
{
    public const string Section = "Breakers";

    /// <summary>The share of failures, within the sampling time, at which a host's breaker opens.</summary>
    [Range(0.05, 1)]
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>Fewer calls than this, within the sampling time, say nothing.</summary>
    [Range(2, 10_000)]
    public int MinimumCalls { get; set; } = 10;

    [Range(0.5, 3600)]
    public double SamplingSeconds { get; set; } = 30;

    /// <summary>How long an open breaker holds all calls back before it lets one through as a probe.</summary>
    [Range(0.5, 3600)]
    public double BreakSeconds { get; set; } = 15;

    /// <summary>After this a probe is taken to have died with its process, and another may go.</summary>
    [Range(1, 3600)]
    public double ProbeSeconds { get; set; } = 60;
}
