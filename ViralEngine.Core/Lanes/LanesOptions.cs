using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Lanes;

/// <summary>Settings of lanes, section <c>Lanes</c>.</summary>
public sealed class LanesOptions
{
    public const string Section = "Lanes";

    /// <summary>How many calls one instance holds at a time, of all tenants, tasks and batches together.</summary>
    [Range(1, 100_000, ErrorMessage = "Lanes:CallsPerInstance must be 1 to 100,000.")]
    public int CallsPerInstance { get; set; } = 2560;

    /// <summary>How many calls a lane of single tasks holds at a time.</summary>
    [Range(1, 5000, ErrorMessage = "Lanes:CallsPerLane must be 1 to 5,000.")]
    public int CallsPerLane { get; set; } = 256;

    /// <summary>How many lanes run single tasks, on all instances together.</summary>
    [Range(1, 10_000, ErrorMessage = "Lanes:MaxTaskLanes must be 1 to 10,000.")]
    public int MaxTaskLanes { get; set; } = 64;

    /// <summary>
    /// How long a lane takes on calls before it lets others have its place, in seconds. What runs then comes to its end.
    /// </summary>
    [Range(0.1, 600, ErrorMessage = "Lanes:TurnSeconds must be 0.1 to 600.")]
    public double TurnSeconds { get; set; } = 20;

    /// <summary>How long a lane of single tasks waits for more when there is nothing to do, in seconds.</summary>
    [Range(0, 600, ErrorMessage = "Lanes:IdleSeconds must be 0 to 600.")]
    public double IdleSeconds { get; set; } = 10;
}
