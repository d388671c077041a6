using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>Many items for agents, submitted and followed as one, as the API shows it. Times are UTC.</summary>
/// <param name="Status">
/// <c>completed</c> when every item was run to its end, whether or not it could be done: the counts tell. <c>failed</c> when a
/// failure ended a batch of <c>fail_fast</c> early.
/// </param>
/// <param name="AgentId">Runs the items that name no other.</param>
/// <param name="CancelRequested">Nothing more is started; what runs is being ended.</param>
/// <param name="Run">1, and one more with each retry of what failed.</param>
/// <param name="Progress">The share of items that are settled, 0 to 1.</param>
/// <param name="ItemsPerSecond">Lately while it runs, and of the whole once it has ended; none before there is anything to tell.</param>
/// <param name="EstimatedEndAt">At the present rate.</param>
public sealed record Batch(
    Guid Id,
    string Name,
    string? Description,
    AgentTaskStatus Status,
    string? AgentId,
    int ConcurrencyLimit,
    FailureMode FailureMode,
    bool CancelRequested,
    int Run,
    string CreatedBy,
    DateTime CreatedAt,
    DateTime UpdatedAt,
    DateTime? StartedAt,
    DateTime? CompletedAt,
    BatchCounts Counts,
    double Progress,
    double? ItemsPerSecond,
    DateTime? EstimatedEndAt,
    TaskUsage Usage);

/// <summary>How many items are in which state; they add up to the total.</summary>
/// <param name="InProgress">Those that agents work on at this moment: never more than the concurrency limit.</param>
public sealed record BatchCounts(int Total, int Pending, int InProgress, int Completed, int Failed, int Cancelled);

/// <summary>What a failed item means for the others.</summary>
public enum FailureMode
{
    /// <summary>Nothing.</summary>
    Continue,

    /// <summary>They are not run any more: what has not ended is cancelled, and the batch fails.</summary>
    FailFast,
}

public static class FailureModes
{
    public static string ToText(this FailureMode mode) => mode == FailureMode.FailFast ? "fail_fast" : "continue";

    public static FailureMode Parse(string text) => text == "fail_fast" ? FailureMode.FailFast : FailureMode.Continue;
}
