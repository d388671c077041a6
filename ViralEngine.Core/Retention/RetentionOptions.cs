using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Retention;

/// <summary>
/// How long finished work is kept, in days, section <c>Retention</c>. Unfinished work is never deleted.
/// </summary>
public sealed class RetentionOptions
{
    public const string Section = "Retention";

    /// <summary>Tasks and their history.</summary>
    [Range(1, 36_500, ErrorMessage = "Retention:TasksDays must be 1 to 36,500.")]
    public int TasksDays { get; set; } = 90;

    /// <summary>Batches with their items, results and history.</summary>
    [Range(1, 36_500, ErrorMessage = "Retention:BatchesDays must be 1 to 36,500.")]
    public int BatchesDays { get; set; } = 90;

    /// <summary>
    /// A deleted organization's data, counted from its deletion. Its audit log has its usual retention.
    /// </summary>
    [Range(0, 36_500, ErrorMessage = "Retention:OrganizationsDays must be 0 to 36,500.")]
    public int OrganizationsDays { get; set; } = 30;
}
