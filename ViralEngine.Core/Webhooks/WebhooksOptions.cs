using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Webhooks;

/// <summary>Section <c>Webhooks</c>: how messages are delivered.</summary>
public sealed class WebhooksOptions : IValidatableObject
{
    public const string Section = "Webhooks";

    /// <summary>The schedule that Standard Webhooks suggests: more than three days in all.</summary>
    private static readonly TimeSpan[] SuggestedDelays =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2),
        TimeSpan.FromHours(5), TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20),
        TimeSpan.FromHours(24),
    ];

    /// <summary>Seconds within which a receiver must respond.</summary>
    [Range(1, 60)]
    public int TimeoutSeconds { get; set; } = 20;

    /// <summary>
    /// The waits between attempts, as <c>[d.]hh:mm:ss</c>, each extended randomly by up to a tenth; after the last, a
    /// message has failed. Default: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
    /// </summary>
    public IList<TimeSpan> RetryDelays { get; init; } = [];

    /// <summary>An endpoint that has only failed for this long is disabled.</summary>
    public TimeSpan DisableAfter { get; set; } = TimeSpan.FromDays(5);

    /// <summary>
    /// Concurrent attempts of one instance, shared equally between the organizations with messages to send and one
    /// more.
    /// </summary>
    [Range(1, 10_000)]
    public int Concurrency { get; set; } = 256;

    /// <summary>
    /// Concurrent attempts to one endpoint, over all instances; at most two if it is failing, slow or new.
    /// </summary>
    [Range(1, 1000)]
    public int ConcurrencyPerEndpoint { get; set; } = 8;

    /// <summary>
    /// Milliseconds between polls of an instance; grows up to <see cref="IdlePollMilliseconds"/> while idle.
    /// </summary>
    [Range(50, 60_000)]
    public int PollMilliseconds { get; set; } = 300;

    /// <summary>Milliseconds between polls of an instance that has been idle for long.</summary>
    [Range(50, 3_600_000)]
    public int IdlePollMilliseconds { get; set; } = 15_000;

    /// <summary>Days that messages, deliveries and attempts are kept.</summary>
    [Range(1, 3650)]
    public int RetentionDays { get; set; } = 30;

    /// <summary>Maximum endpoints per organization.</summary>
    [Range(1, 10_000)]
    public int MaxEndpoints { get; set; } = 50;

    internal IReadOnlyList<TimeSpan> Delays => RetryDelays.Count > 0 ? [.. RetryDelays] : SuggestedDelays;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (RetryDelays.Any(delay => delay < TimeSpan.Zero || delay > TimeSpan.FromDays(7)))
            yield return new("Webhooks:RetryDelays must be times from 00:00:00 to 7.00:00:00.", [nameof(RetryDelays)]);
        if (DisableAfter <= TimeSpan.Zero)
            yield return new(
                "Webhooks:DisableAfter must be a time above 00:00:00, such as 5.00:00:00.", [nameof(DisableAfter)]);
    }
}
