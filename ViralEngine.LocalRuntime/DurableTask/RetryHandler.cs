namespace Microsoft.DurableTask;

/// <summary>Decides after each failure whether to try again, and may wait on durable timers first.</summary>
public delegate Task<bool> AsyncRetryHandler(RetryContext retryContext);

/// <summary>Decides after each failure whether to try again. Runs as orchestrator code: deterministic, no I/O.</summary>
public delegate bool RetryHandler(RetryContext retryContext);

/// <summary>What a retry handler decides by.</summary>
/// <param name="OrchestrationContext">The orchestration that made the call.</param>
/// <param name="LastAttemptNumber">Number of the attempt that failed, from 1.</param>
/// <param name="LastFailure">How it failed.</param>
/// <param name="TotalRetryTime">Time since the first attempt began.</param>
/// <param name="CancellationToken">Cancels the wait for another attempt.</param>
public record RetryContext(
    TaskOrchestrationContext OrchestrationContext,
    int LastAttemptNumber,
    TaskFailureDetails LastFailure,
    TimeSpan TotalRetryTime,
    CancellationToken CancellationToken);
