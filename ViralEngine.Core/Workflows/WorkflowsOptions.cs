using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Workflows;

/// <summary>Section <c>Workflows</c>.</summary>
public sealed class WorkflowsOptions
{
    public const string Section = "Workflows";

    /// <summary>Days that a finished workflow is kept, with its history and decisions.</summary>
    [Range(1, 3650)]
    public int RetentionDays { get; set; } = 365;
}
