namespace ViralEngine.Core.Webhooks;

/// <summary>When a message is tried again: after the schedule's next wait with jitter, never before the receiver's Retry-After.</summary>
internal static class RetrySchedule
{
    /// <summary>A receiver that asks for more gets this: a message is not to sleep for ever.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromDays(1);

    private const double Jitter = 0.1;

    /// <summary>The wait before the next try, or null when the schedule is at its end.</summary>
    /// <param name="tries">Those that failed before this one, since the message was queued.</param>
    public static TimeSpan? Delay(IReadOnlyList<TimeSpan> delays, int tries, TimeSpan? retryAfter, Random random)
    {
        if (tries >= delays.Count)
            return null;
        var delay = delays[tries] * (1 + Jitter * random.NextDouble());
        // Those who were told the same time do not come back at the same moment.
        var asked = Cap(retryAfter) * (1 + Jitter / 10 * random.NextDouble());
        return asked > delay ? asked : delay;
    }

    public static TimeSpan? Cap(TimeSpan? retryAfter) => retryAfter > LongestRetryAfter ? LongestRetryAfter : retryAfter;
}
