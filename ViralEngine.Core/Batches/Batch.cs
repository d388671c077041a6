using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>A batch of items for agents. Times are UTC.</summary>
/// <param name="Status"> <c>completed</c> when every item has finished, successfully or not: see the counts.
/// <c>failed</c> when a failed item ended a batch with <c>fail_fast</c> early. </param>
/// <param name="AgentId">The agent for items that name no other.</param>
/// <param name="CancelRequested">No more items start, and running items are being stopped.</param>
/// <param name="Run">1, increased by each retry of failed items.</param>
/// <param name="Progress">The share of items that have finished, 0 to 1.</param>
/// <param name="ItemsPerSecond">The recent rate while the batch runs, the overall rate once it has ended; null before
/// there is one.</param>
/// <param name="EstimatedEndAt">The expected end at the current rate.</param>
/// <param name="WaitingFor"> What most of the batch waits for, without using an attempt: <c>provider</c> (it is failing
/// or asked for a pause), <c>limit</c> (requests, tokens or concurrent calls), <c>budget</c> (running calls have
/// reserved the rest), <c>memory</c>, or
/// <c>alert</c> (an alert has paused the agent). </param>
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
    TaskUsage Usage,
    string? WaitingFor);

/// <summary>The number of items in each state; they add up to the total.</summary>
/// <param name="InProgress">Items that agents are working on, at most the concurrency limit.</param>
public sealed record BatchCounts(int Total, int Pending, int InProgress, int Completed, int Failed, int Cancelled);

/// <summary>What happens to the other items when one fails.</summary>
public enum FailureMode
{
    /// <summary>They run.</summary>
    Continue,

    /// <summary>They are cancelled, and the batch fails.</summary>
    FailFast,
}

public static class FailureModes
{
    public static string ToText(this FailureMode mode) => mode == FailureMode.FailFast ? "fail_fast" : "continue";

    public static FailureMode Parse(string text) => text == "fail_fast" ? FailureMode.FailFast : FailureMode.Continue;
}
