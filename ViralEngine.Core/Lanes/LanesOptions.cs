using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Lanes;

/// <summary>Settings of lanes, section <c>Lanes</c>.</summary>
public sealed class LanesOptions
{
    public const string Section = "Lanes";

    /// <summary>Concurrent calls of one instance, of all tenants, tasks and batches together.</summary>
    [Range(1, 100_000, ErrorMessage = "Lanes:CallsPerInstance must be 1 to 100,000.")]
    public int CallsPerInstance { get; set; } = 2560;

    /// <summary>Concurrent calls of a lane of single tasks.</summary>
    [Range(1, 5000, ErrorMessage = "Lanes:CallsPerLane must be 1 to 5,000.")]
    public int CallsPerLane { get; set; } = 256;

    /// <summary>The maximum number of lanes for single tasks, on all instances together.</summary>
    [Range(1, 10_000, ErrorMessage = "Lanes:MaxTaskLanes must be 1 to 10,000.")]
    public int MaxTaskLanes { get; set; } = 64;

    /// <summary>Seconds that a lane's turn accepts new calls. Running calls then finish.</summary>
    [Range(0.1, 600, ErrorMessage = "Lanes:TurnSeconds must be 0.1 to 600.")]
    public double TurnSeconds { get; set; } = 20;

    /// <summary>Seconds that an idle lane of single tasks waits for work.</summary>
    [Range(0, 600, ErrorMessage = "Lanes:IdleSeconds must be 0 to 600.")]
    public double IdleSeconds { get; set; } = 10;
}
