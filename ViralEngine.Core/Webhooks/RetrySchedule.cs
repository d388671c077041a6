namespace ViralEngine.Core.Webhooks;

/// <summary>
/// When a message is retried: after the schedule's next wait with jitter, never before the receiver's Retry-After.
/// </summary>
internal static class RetrySchedule
{
    /// <summary>The maximum Retry-After that is honoured.</summary>
    public static readonly TimeSpan MaxRetryAfter = TimeSpan.FromDays(1);

    private const double Jitter = 0.1;

    /// <summary>The wait before the next attempt; null at the end of the schedule.</summary>
    /// <param name="tries">The number of failed attempts before this one, since the message was queued.</param>
    public static TimeSpan? Delay(IReadOnlyList<TimeSpan> delays, int tries, TimeSpan? retryAfter, Random random)
    {
        if (tries >= delays.Count)
            return null;
        var delay = delays[tries] * (1 + Jitter * random.NextDouble());
        // Jitter also for Retry-After, so that messages do not return simultaneously.
        var asked = Cap(retryAfter) * (1 + Jitter / 10 * random.NextDouble());
        return asked > delay ? asked : delay;
    }

    public static TimeSpan? Cap(TimeSpan? retryAfter) => retryAfter > MaxRetryAfter ? MaxRetryAfter : retryAfter;
}
