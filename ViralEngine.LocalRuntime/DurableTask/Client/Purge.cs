namespace Microsoft.DurableTask.Client;

/// <summary>Which finished orchestrations are purged. Null admits all.</summary>
public record PurgeInstancesFilter(
    DateTimeOffset? CreatedFrom = null,
    DateTimeOffset? CreatedTo = null,
    IEnumerable<OrchestrationRuntimeStatus>? Statuses = null)
{
    /// <summary>How long a purge may take before it returns an incomplete result; endless when null.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <param name="Recursive">Whether sub-orchestrations are purged as well.</param>
public record PurgeInstanceOptions(bool Recursive = false);

/// <summary>What a purge has removed.</summary>
public class PurgeResult(int count, bool? isComplete)
{
    public PurgeResult(int count)
        : this(count, null)
    {
    }

    public int PurgedInstanceCount { get; } = count;

    /// <summary>Null when not known.</summary>
    public bool? IsComplete { get; } = isComplete;
}
