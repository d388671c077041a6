using Microsoft.DurableTask;

namespace ViralEngine.LocalRuntime.Durable;

/// <summary>Tries a call again as its options say. Runs as orchestrator code: waits are durable timers.</summary>
internal static class Retries
{
    public static async Task<T> RunAsync<T>(TaskOrchestrationContext context, TaskRetryOptions retry, Func<Task<T>> call)
    {
        var begun = context.CurrentUtcDateTime;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (TaskFailedException failed)
            {
                var elapsed = context.CurrentUtcDateTime - begun;
                if (retry.Handler is { } handler)
                {
                    var failure = failed.FailureDetails;
                    if (!await handler(new(context, attempt, failure, elapsed, CancellationToken.None))) throw;
                    continue;
                }

                if (DelayAfter(retry.Policy!, attempt, elapsed, failed) is not { } delay) throw;
                await context.CreateTimer(context.CurrentUtcDateTime + delay, CancellationToken.None);
            }
        }
    }

    private static TimeSpan? DelayAfter(RetryPolicy policy, int attempt, TimeSpan elapsed, TaskFailedException failed)
    {
        if (attempt >= policy.MaxNumberOfAttempts || !policy.Handle(failed)) return null;
        if (policy.RetryTimeout != Timeout.InfiniteTimeSpan && elapsed >= policy.RetryTimeout) return null;
        var wait = policy.FirstRetryInterval.TotalMilliseconds * Math.Pow(policy.BackoffCoefficient, attempt - 1);
        var longest = policy.MaxRetryInterval == Timeout.InfiniteTimeSpan
            ? TimeSpan.FromDays(365).TotalMilliseconds
            : policy.MaxRetryInterval.TotalMilliseconds;
        return TimeSpan.FromMilliseconds(Math.Min(wait, longest));
    }
}
