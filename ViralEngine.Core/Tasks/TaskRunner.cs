using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Runs one attempt of a task under a lease, streaming what the agent says. Harmless when there is nothing to do, whoever calls it
/// and however often.
/// </summary>
public sealed partial class TaskRunner(
    TaskLeaseStore store,
    LeaseKeeper keeper,
    AgentRunner agents,
    TokenLog log,
    Signals signals,
    TimeProvider time,
    ILogger<TaskRunner> logger)
{
    /// <summary>A task over which so many workers died is taken to be what kills them.</summary>
    private const int MostLostAttempts = 10;

    /// <summary>Runs the task if it is due and free.</summary>
    /// <returns>When to look again, or null when the task has ended.</returns>
    /// <exception cref="OperationCanceledException">The process is stopping; the task was given back.</exception>
    public async Task<DateTime?> RunAsync(TenantId tenant, Guid taskId, CancellationToken ct)
    {
        switch (await store.ClaimAsync(tenant, taskId, ct))
        {
            case TaskClaim.NotBefore(var at):
                return at;
            case TaskClaim.Taken(var attempt):
                signals.Publish(tenant, taskId);
                var again = await RunAttemptAsync(tenant, attempt, ct);
                signals.Publish(tenant, taskId);
                return again;
            default:
                return null;
        }
    }

    private async Task<DateTime?> RunAttemptAsync(TenantId tenant, TaskAttempt attempt, CancellationToken ct)
    {
        using var activity = AgentRunner.Source.StartActivity("task.attempt");
        activity?.SetTag("viral.task.id", attempt.TaskId).SetTag("viral.task.attempt", attempt.Attempt);
        using var lease = keeper.Hold(tenant, attempt.TaskId, attempt.Attempt, ct);
        var writer = await OpenStreamAsync(tenant, attempt, ct);

        AgentOutcome outcome;
        try
        {
            outcome = attempt.LostAttempts >= MostLostAttempts
                ? new AgentOutcome.Failed(
                    ErrorClass.Internal, $"The process that ran the task died {attempt.LostAttempts} times over it.", null, attempt.AgentId)
                : await agents.RunAsync(tenant, WorkOf(attempt), writer, lease.Ended);
        }
        catch (OperationCanceledException) when (lease.Ended.IsCancellationRequested)
        {
            return await GiveUpAsync(tenant, attempt, writer, lease, ct);
        }

        writer.Flush();
        return outcome switch
        {
            AgentOutcome.Answered answered => await CompleteAsync(tenant, attempt, writer, answered),
            AgentOutcome.Failed failed => await FailAsync(tenant, attempt, writer, failed, ct),
            _ => throw new UnreachableException(),
        };
    }

    private async Task<TokenWriter> OpenStreamAsync(TenantId tenant, TaskAttempt attempt, CancellationToken ct)
    {
        var streamBase = attempt.StreamBase;
        if (attempt.TakenOver && await log.CountAsync(tenant, attempt.TaskId, attempt.Attempt - 1) is var left and > 0)
        {
            streamBase += left;
            await store.MoveStreamAsync(tenant, attempt.TaskId, attempt.Attempt, streamBase, ct);
        }

        var writer = new TokenWriter(log, store, signals, time, tenant, attempt, streamBase);
        writer.Reset();
        return writer;
    }

    private async Task<DateTime?> CompleteAsync(
        TenantId tenant, TaskAttempt attempt, TokenWriter writer, AgentOutcome.Answered answered)
    {
        var usage = answered.Usage is { } used ? new TaskUsage(used.InputTokens, used.OutputTokens, used.CostUsd) : null;
        var answer = writer.Finish(answered.Agent, usage);
        if (await store.CompleteAsync(tenant, attempt.TaskId, attempt.Attempt, answer))
            TaskMetrics.Ended(AgentTaskStatus.Completed);
        else
            LogLeaseLost(logger, attempt.TaskId, attempt.Attempt);
        return null;
    }

    private async Task<DateTime?> FailAsync(
        TenantId tenant, TaskAttempt attempt, TokenWriter writer, AgentOutcome.Failed failure, CancellationToken ct)
    {
        var delay = RetryRules.Delay(
            failure.Class, failure.RetryAfter, attempt.FailedAttempts, attempt.MaxAttempts, Random.Shared);
        var error = new TaskError(failure.Class.ToApiName(), failure.Message, failure.Agent, attempt.Attempt);
        if (!await store.FailAsync(tenant, attempt.TaskId, error, writer.LastNumber, delay, CancellationToken.None))
            LogLeaseLost(logger, attempt.TaskId, attempt.Attempt);
        else if (delay is null)
            TaskMetrics.Ended(AgentTaskStatus.Failed);
        ct.ThrowIfCancellationRequested();
        return delay is { } wait ? time.GetUtcNow().UtcDateTime + wait : null;
    }

    private async Task<DateTime?> GiveUpAsync(
        TenantId tenant, TaskAttempt attempt, TokenWriter writer, HeldLease lease, CancellationToken ct)
    {
        switch (lease.End)
        {
            case LeaseEnd.Cancelled:
                await store.EndCancelledAsync(
                    tenant, attempt.TaskId, attempt.Attempt, writer.LastNumber, CancellationToken.None);
                return null;
            case LeaseEnd.Lost:
                LogLeaseLost(logger, attempt.TaskId, attempt.Attempt);
                return null;
            default:
                await store.ReleaseAsync(
                    tenant, attempt.TaskId, attempt.Attempt, writer.LastNumber, CancellationToken.None);
                ct.ThrowIfCancellationRequested();
                return time.GetUtcNow().UtcDateTime;
        }
    }

    private static AgentWork WorkOf(TaskAttempt attempt) => new(
        attempt.TaskId, attempt.FailedAttempts + 1, attempt.AgentId, attempt.Description, attempt.Input, attempt.Timeout);

    [LoggerMessage(1, LogLevel.Warning, "Task {TaskId}: the lease of attempt {Attempt} was lost; its outcome is dropped")]
    private static partial void LogLeaseLost(ILogger logger, Guid taskId, int attempt);
}
