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
}
