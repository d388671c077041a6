using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Limits;

/// <summary>Section <c>Limits</c>.</summary>
public sealed class LimitsOptions
{
    public const string Section = "Limits";

    [ValidateObjectMembers]
    public PlansOptions Plans { get; init; } = new();

    /// <summary>
    /// The expected number of instances; while Redis is away, each allows its share of the rates and of the limits that
    /// agents declare.
    /// </summary>
    [Range(1, 1000)]
    public int ExpectedInstances { get; set; } = 3;

    /// <summary>Output tokens to reserve money for if an agent has no <c>max_output_tokens</c>.</summary>
    [Range(1, 10_000_000)]
    public int AssumedOutputTokens { get; set; } = 16_384;

    public PlanLimits Of(string plan) => plan switch
    {
        "team" => Plans.Team,
        "enterprise" => Plans.Enterprise,
        _ => Plans.Free,
    };
}

/// <summary>The limits of each plan: <c>Limits:Plans:Free:RequestsPerSecond</c> and so on.</summary>
public sealed class PlansOptions
{
    [ValidateObjectMembers]
    public PlanLimits Free { get; init; } = new()
    {
        RequestsPerSecond = 20,
        TasksPerMonth = 10_000,
        ConcurrentTasks = 10,
        Members = 5,
    };

    [ValidateObjectMembers]
    public PlanLimits Team { get; init; } = new()
    {
        RequestsPerSecond = 200,
        TasksPerMonth = 1_000_000,
        ConcurrentTasks = 100,
        Members = 100,
    };

    [ValidateObjectMembers]
    public PlanLimits Enterprise { get; init; } = new();
}

/// <summary>The limits of a plan; 0 for no limit.</summary>
public sealed class PlanLimits
{
    /// <summary>
    /// Requests per second of the organization, averaged over ten seconds; one caller may use half of them.
    /// </summary>
    [Range(0, 1_000_000)]
    public int RequestsPerSecond { get; set; }

    /// <summary>Tasks that may be submitted in a calendar month (UTC), each batch item being one.</summary>
    [Range(0, long.MaxValue)]
    public long TasksPerMonth { get; set; }

    /// <summary>
    /// Concurrent tasks; further tasks wait, by priority, then by age. Batches run in what tasks leave, and at least
    /// one item at a time.
    /// </summary>
    [Range(0, 1_000_000)]
    public int ConcurrentTasks { get; set; }

    [Range(0, 1_000_000)]
    public int Members { get; set; }
}
