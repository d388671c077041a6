namespace ViralEngine.Core.Limits;

/// <summary>The organization's plan does not allow more; nothing was changed. The edge answers 429.</summary>
/// <param name="limit">The limit's name: <c>tasks_per_month</c>, <c>members</c>.</param>
/// <param name="retryAfter">Until it may be different.</param>
public sealed class PlanLimitException(string limit, long most, TimeSpan retryAfter)
    : Exception($"The plan allows {most} ({limit}).")
{
    public string Limit { get; } = limit;

    public long Most { get; } = most;

    public TimeSpan RetryAfter { get; } = retryAfter;
}
