namespace ViralEngine.Core.Batches;

/// <summary>The checked settings of a batch.</summary>
public sealed record NewBatch(
    Guid Id,
    string Name,
    string? Description,
    string? AgentId,
    int ConcurrencyLimit,
    FailureMode FailureMode,
    string CreatedBy)
{
    /// <summary>The plan's tasks per month, of which each item is one; 0 for no limit.</summary>
    public long MaxPerMonth { get; init; }
}

/// <summary>One received item, checked as far as possible without the others.</summary>
/// <param name="Number">Its line or position, from 1, ascending.</param>
/// <param name="ItemId">The user's own id; null for the number.</param>
/// <param name="AgentId">Null for the batch's agent.</param>
public readonly record struct NewBatchItem(
    int Number,
    string? ItemId,
    string? AgentId,
    string Description,
    string? InputJson,
    string? MetadataJson,
    int? TimeoutSeconds,
    int? MaxAttempts);

/// <summary>Bounds of a batch.</summary>
public static class BatchLimits
{
    public const int MaxItems = 1_000_000;
    public const int MaxConcurrency = 5000;
    public const int DefaultConcurrency = 20;

    /// <summary>Each agent is looked up once, so their number is limited.</summary>
    public const int MaxAgents = 100;

    public const int DefaultTimeoutSeconds = 300;
    public const int DefaultMaxAttempts = 3;
}
