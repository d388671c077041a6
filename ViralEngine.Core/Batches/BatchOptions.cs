using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Batches;

/// <summary>Settings of batches, section <c>Batches</c>.</summary>
public sealed class BatchOptions
{
    public const string Section = "Batches";

    /// <summary>The largest body of a submission, in bytes.</summary>
    [Range(1024, 1L << 40, ErrorMessage = "Batches:MaxBodyBytes must be 1,024 to 1,099,511,627,776.")]
    public long MaxBodyBytes { get; set; } = 4L << 30;

    /// <summary>How many lanes of one instance speak to PostgreSQL at a time: tenants take turns here.</summary>
    [Range(1, 100, ErrorMessage = "Batches:StoreTurns must be 1 to 100.")]
    public int StoreTurns { get; set; } = 6;

    /// <summary>How long a worker that says nothing keeps what it has claimed, in seconds.</summary>
    [Range(1, 300, ErrorMessage = "Batches:LeaseSeconds must be 1 to 300.")]
    public double LeaseSeconds { get; set; } = 8;
}
