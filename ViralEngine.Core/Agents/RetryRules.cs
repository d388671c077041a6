namespace ViralEngine.Core.Agents;

/// <summary>
/// When a failed attempt is retried: exponential backoff with full jitter, never before the provider's Retry-After.
/// </summary>
public static class RetryRules
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(1);

    /// <summary>The wait before the next attempt; null if a retry would not help or none is left.</summary>
    /// <param name="failedAttempts">The number of failed attempts before this one.</param>
    public static TimeSpan? Delay(
        ErrorClass errorClass, TimeSpan? retryAfter, int failedAttempts, int maxAttempts, Random random)
    {
        if (!errorClass.IsRetryable() || failedAttempts + 1 >= maxAttempts)
            return null;
        if (retryAfter > MaxRetryAfter)
            return null; // too long for a retry: let a person decide

        var ceiling = Math.Min(FirstDelay.TotalSeconds * Math.Pow(2, failedAttempts), MaxDelay.TotalSeconds);
        var backoff = TimeSpan.FromSeconds(ceiling * (0.5 + random.NextDouble() / 2));
        return retryAfter > backoff ? retryAfter + TimeSpan.FromMilliseconds(random.Next(250)) : backoff;
    }
}
