using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Audit;

/// <summary>Section <c>Audit</c>.</summary>
public sealed class AuditOptions
{
    public const string Section = "Audit";

    /// <summary>Days that entries are kept.</summary>
    [Range(1, 36500)]
    public int RetentionDays { get; set; } = 365;
}
