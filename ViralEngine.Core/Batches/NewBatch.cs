namespace ViralEngine.Core.Batches;

/// <summary>What a user says of a batch as a whole, checked.</summary>
public sealed record NewBatch(
    Guid Id,
    string Name,
    string? Description,
    string? AgentId,
    int ConcurrencyLimit,
    FailureMode FailureMode,
    string CreatedBy)
{
    /// <summary>How many tasks the plan allows in a month, of which each item is one; 0: any number.</summary>
    public long MostPerMonth { get; init; }
}

/// <summary>One item as it comes, checked as far as that goes without the others.</summary>
/// <param name="Number">Its line or its place, from 1, rising.</param>
/// <param name="ItemId">The user's own; null: the number.</param>
/// <param name="AgentId">Null: the batch's.</param>
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
    public const int MostItems = 1_000_000;
    public const int MostConcurrency = 5000;
    public const int DefaultConcurrency = 20;

    /// <summary>Each is looked up once; a million different ones would be a million look-ups.</summary>
    public const int MostAgents = 100;

    public const int DefaultTimeoutSeconds = 300;
    public const int DefaultMaxAttempts = 3;
}
