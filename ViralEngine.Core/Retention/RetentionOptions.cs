using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Retention;

/// <summary>How long what has ended is kept, in days, section <c>Retention</c>. What has not ended is never swept.</summary>
public sealed class RetentionOptions
{
    public const string Section = "Retention";

    /// <summary>Tasks and their history.</summary>
    [Range(1, 36_500, ErrorMessage = "Retention:TasksDays must be 1 to 36,500.")]
    public int TasksDays { get; set; } = 90;

    /// <summary>Batches with their items, results and history.</summary>
    [Range(1, 36_500, ErrorMessage = "Retention:BatchesDays must be 1 to 36,500.")]
    public int BatchesDays { get; set; } = 90;

    /// <summary>What a deleted organization owned, counted from its deletion. Its audit log is kept for as long as any other's.</summary>
    [Range(0, 36_500, ErrorMessage = "Retention:OrganizationsDays must be 0 to 36,500.")]
    public int OrganizationsDays { get; set; } = 30;
}
