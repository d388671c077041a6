using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Idempotency;

/// <summary>Section <c>Idempotency</c>.</summary>
public sealed class IdempotencyOptions
{
    public const string Section = "Idempotency";

    /// <summary>Seconds that a dead process keeps a key; a live one renews it.</summary>
    [Range(1, 300)]
    public double LeaseSeconds { get; set; } = 10;

    /// <summary>Hours that a stored response is replayed.</summary>
    [Range(1, 24 * 31)]
    public double RetentionHours { get; set; } = 24;

    internal TimeSpan Lease => TimeSpan.FromSeconds(LeaseSeconds);

    internal TimeSpan Retention => TimeSpan.FromHours(RetentionHours);
}
