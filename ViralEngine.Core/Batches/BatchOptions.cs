using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Batches;

/// <summary>Settings of batches, section <c>Batches</c>.</summary>
public sealed class BatchOptions
{
    public const string Section = "Batches";

    /// <summary>The maximum size of a submission's body, in bytes.</summary>
    [Range(1024, 1L << 40, ErrorMessage = "Batches:MaxBodyBytes must be 1,024 to 1,099,511,627,776.")]
    public long MaxBodyBytes { get; set; } = 4L << 30;

    /// <summary>How many lanes of one instance use PostgreSQL concurrently; tenants take turns.</summary>
    [Range(1, 100, ErrorMessage = "Batches:StoreTurns must be 1 to 100.")]
    public int StoreTurns { get; set; } = 6;

    /// <summary>Seconds without renewal after which a worker's claims expire.</summary>
    [Range(1, 300, ErrorMessage = "Batches:LeaseSeconds must be 1 to 300.")]
    public double LeaseSeconds { get; set; } = 8;
}
