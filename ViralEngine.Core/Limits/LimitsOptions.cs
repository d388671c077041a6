using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Limits;

/// <summary>Section <c>Limits</c>.</summary>
public sealed class LimitsOptions
{
    public const string Section = "Limits";

    [ValidateObjectMembers]
    public PlansOptions Plans { get; init; } = new();

    /// <summary>How many instances share the load; each allows its share of the rates while Redis is away.</summary>
    [Range(1, 1000)]
    public int ExpectedInstances { get; set; } = 3;

    /// <summary>Tokens of output to set money aside for where an agent has no <c>max_output_tokens</c>.</summary>
    [Range(1, 10_000_000)]
    public int AssumedOutputTokens { get; set; } = 16_384;

    public PlanLimits Of(string plan) => plan switch
    {
        "team" => Plans.Team,
        "enterprise" => Plans.Enterprise,
        _ => Plans.Free,
    };
}

/// <summary>What each plan allows: <c>Limits:Plans:Free:RequestsPerSecond</c> and so on.</summary>
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

/// <summary>What a plan allows; 0 stands for no limit.</summary>
public sealed class PlanLimits
{
    /// <summary>On average over ten seconds, for the organization as a whole; one caller may use half of it.</summary>
    [Range(0, 1_000_000)]
    public int RequestsPerSecond { get; set; }

    /// <summary>Tasks that may be submitted in a calendar month, UTC; each item of a batch is one.</summary>
    [Range(0, long.MaxValue)]
    public long TasksPerMonth { get; set; }

    /// <summary>
    /// Tasks that run at a time; those beyond wait, higher priority first, then the older. Batches run in what tasks leave of it, and
    /// at least one item at a time.
    /// </summary>
    [Range(0, 1_000_000)]
    public int ConcurrentTasks { get; set; }

    [Range(0, 1_000_000)]
    public int Members { get; set; }
}
