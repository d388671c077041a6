namespace ViralEngine.Core.Limits;

/// <summary>A limit of the organization's plan is reached; nothing was changed. The edge responds with 429.</summary>
/// <param name="limit">The limit's name: <c>tasks_per_month</c>, <c>members</c>.</param>
/// <param name="retryAfter">The time until the limit may be free again.</param>
public sealed class PlanLimitException(string limit, long most, TimeSpan retryAfter)
    : Exception($"The plan allows {most} ({limit}).")
{
    /// <summary>The submission exceeds what is left of the month's tasks.</summary>
    public static PlanLimitException OfMonth(long most, TimeProvider time)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var next = new DateTime(now.Year, now.Month, 1, 0, 0, 0, DateTimeKind.Utc).AddMonths(1);
        return new PlanLimitException("tasks_per_month", most, next - now);
    }

    public string Limit { get; } = limit;

    public long Most { get; } = most;

    public TimeSpan RetryAfter { get; } = retryAfter;
}
