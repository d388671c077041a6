using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Batches;

/// <summary>Settings of batches, section <c>Batches</c>.</summary>
public sealed class BatchOptions
{
    public const string Section = "Batches";

    /// <summary>The largest body of a submission, in bytes.</summary>
    [Range(1024, 1L << 40, ErrorMessage = "Batches:MaxBodyBytes must be 1,024 to 1,099,511,627,776.")]
    public long MaxBodyBytes { get; set; } = 4L << 30;

    /// <summary>
    /// How many lanes run in one instance at a time, of all batches and tenants together. Fewer than the activities that the
    /// runtime runs at a time, so that single tasks always find room beside batches.
    /// </summary>
    [Range(1, 10_000, ErrorMessage = "Batches:LanesPerInstance must be 1 to 10,000.")]
    public int LanesPerInstance { get; set; } = 160;

    /// <summary>How many lanes of one instance speak to PostgreSQL at a time: tenants take turns here.</summary>
    [Range(1, 100, ErrorMessage = "Batches:StoreTurns must be 1 to 100.")]
    public int StoreTurns { get; set; } = 6;

    /// <summary>How long a worker that says nothing keeps what it has claimed, in seconds.</summary>
    [Range(1, 300, ErrorMessage = "Batches:LeaseSeconds must be 1 to 300.")]
    public double LeaseSeconds { get; set; } = 8;

    /// <summary>How long a lane works before it lets others have its place, in seconds.</summary>
    [Range(0.1, 60, ErrorMessage = "Batches:TurnSeconds must be 0.1 to 60.")]
    public double TurnSeconds { get; set; } = 5;
}
