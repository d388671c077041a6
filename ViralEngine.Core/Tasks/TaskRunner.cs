using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Runs one attempt of a task under a lease: the agent, then its fallbacks in order, streaming what they say. Harmless when there
/// is nothing to do, whoever calls it and however often.
/// </summary>
public sealed partial class TaskRunner(
    TaskLeaseStore store,
    LeaseKeeper keeper,
    AgentDirectory agents,
    AgentProviders providers,
    TokenLog log,
    TaskSignals signals,
    TimeProvider time,
    ILogger<TaskRunner> logger)
{
    public static readonly ActivitySource Source = new("ViralEngine");

    /// <summary>A task over which so many workers died is taken to be what kills them.</summary>
    private const int MostLostAttempts = 10;

    /// <summary>The longest answer, in characters.</summary>
    private const int LongestAnswer = 10_000_000;

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Runs the task if it is due and free.</summary>
    /// <returns>When to look again, or null when the task has ended.</returns>
    /// <exception cref="OperationCanceledException">The process is stopping; the lease was given back.</exception>
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
        using var activity = Source.StartActivity("task.attempt");
        activity?.SetTag("viral.task.id", attempt.TaskId).SetTag("viral.task.attempt", attempt.Attempt);
        using var lease = keeper.Hold(tenant, attempt.TaskId, attempt.Attempt, ct);
        var streamBase = attempt.StreamBase;
        if (attempt.TakenOver && await log.CountAsync(tenant, attempt.TaskId, attempt.Attempt - 1) is var left and > 0)
        {
            streamBase += left;
            await store.MoveStreamAsync(tenant, attempt.TaskId, attempt.Attempt, streamBase, ct);
        }

        var writer = new TokenWriter(log, signals, tenant, attempt.TaskId, attempt.Attempt, streamBase);
        writer.Reset();

        AgentFailure failure;
        try
        {
            if (attempt.LostAttempts >= MostLostAttempts)
                failure = Lost(attempt);
            else if (await CallAgentsAsync(tenant, attempt, writer, lease.Ended) is not { } failed)
                return null;
            else
                failure = failed;
        }
        catch (OperationCanceledException) when (lease.Ended.IsCancellationRequested)
        {
            return await GiveUpAsync(tenant, attempt, writer, lease, ct);
        }

        return await FailAsync(tenant, attempt, writer, failure, ct);
    }

    /// <summary>Null when an agent answered and the answer is stored (or the lease was lost meanwhile).</summary>
    private async Task<AgentFailure?> CallAgentsAsync(
        TenantId tenant, TaskAttempt attempt, TokenWriter writer, CancellationToken ct)
    {
        var chain = await agents.LoadChainAsync(tenant, attempt.AgentId, ct);
        AgentFailure? failure = null;
        for (var i = 0; i < chain.Count; i++)
        {
            if (i > 0)
                writer.Reset();
            try
            {
                var usage = await StreamAsync(tenant, attempt, chain[i], writer, ct);
                writer.Flush();
                var answer = writer.Finish(chain[i].Name, usage);
                if (!await store.CompleteAsync(tenant, attempt.TaskId, attempt.Attempt, answer, CancellationToken.None))
                    LogLeaseLost(logger, attempt.TaskId, attempt.Attempt);
                return null;
            }
            catch (AgentException e)
            {
                LogAgentFailed(logger, attempt.TaskId, attempt.Attempt, chain[i].Name, e.ErrorClass, e.Message);
                failure = AgentFailure.Merge(failure, new AgentFailure(e.ErrorClass, e.Message, e.RetryAfter, chain[i].Name));
                // The request itself is at fault: another agent would say the same.
                if (e.ErrorClass == ErrorClass.InvalidRequest)
                    break;
            }
        }

        return failure ?? new AgentFailure(
            ErrorClass.InvalidRequest, $"The agent '{attempt.AgentId}' does not exist any more.", null, attempt.AgentId);
    }

    private async Task<TaskUsage?> StreamAsync(
        TenantId tenant, TaskAttempt attempt, AgentDefinition agent, TokenWriter writer, CancellationToken ct)
    {
        using var activity = Source.StartActivity("agent.call", ActivityKind.Client);
        activity?.SetTag("gen_ai.agent.name", agent.Name).SetTag("viral.agent.kind", agent.Kind.ToString());
        using var timeout = new CancellationTokenSource(attempt.Timeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        var call = new AgentCall(
            tenant.Value, attempt.TaskId, attempt.FailedAttempts + 1, agent, attempt.Description, attempt.Input, attempt.Timeout);
        TaskUsage? usage = null;
        var lastProgress = 0L;
        try
        {
            await using var chunks = providers.For(agent.Kind).RunAsync(call, linked.Token).GetAsyncEnumerator(linked.Token);
            while (true)
            {
                var next = chunks.MoveNextAsync();
                if (!next.IsCompleted)
                    writer.Flush();
                if (!await next)
                    break;
                switch (chunks.Current)
                {
                    case AgentChunk.Text(var text):
                        writer.Add(text);
                        if (writer.Length > LongestAnswer)
                            throw new AgentException(ErrorClass.TooLarge, $"The answer is longer than {LongestAnswer:N0} characters.");
                        break;
                    case AgentChunk.Progress(var fraction, var message)
                        when lastProgress == 0 || time.GetElapsedTime(lastProgress) >= ProgressInterval:
                        lastProgress = time.GetTimestamp();
                        await store.ReportProgressAsync(tenant, attempt.TaskId, attempt.Attempt, fraction, message, linked.Token);
                        signals.Publish(tenant, attempt.TaskId);
                        break;
                    case AgentChunk.Usage(var input, var output, _):
                        usage = new TaskUsage(input, output, null);
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            activity?.SetStatus(ActivityStatusCode.Error, "timeout");
            throw new AgentException(ErrorClass.Timeout, $"No complete answer within {attempt.Timeout.TotalSeconds:0} s.");
        }
        catch (AgentException e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.ErrorClass.ToApiName());
            throw;
        }

        return usage;
    }

    private async Task<DateTime?> FailAsync(
        TenantId tenant, TaskAttempt attempt, TokenWriter writer, AgentFailure failure, CancellationToken ct)
    {
        writer.Flush();
        var delay = RetryRules.Delay(
            failure.Class, failure.RetryAfter, attempt.FailedAttempts, attempt.MaxAttempts, Random.Shared);
        var error = new TaskError(failure.Class.ToApiName(), failure.Message, failure.Agent, attempt.Attempt);
        if (!await store.FailAsync(tenant, attempt.TaskId, error, writer.LastNumber, delay, CancellationToken.None))
            LogLeaseLost(logger, attempt.TaskId, attempt.Attempt);
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

    private static AgentFailure Lost(TaskAttempt attempt) => new(
        ErrorClass.Internal, $"The process that ran the task died {attempt.LostAttempts} times over it.", null, attempt.AgentId);

    [LoggerMessage(1, LogLevel.Warning, "Agent {Agent} failed task {TaskId}, attempt {Attempt}: {ErrorClass}, {Reason}")]
    private static partial void LogAgentFailed(
        ILogger logger, Guid taskId, int attempt, string agent, ErrorClass errorClass, string reason);

    [LoggerMessage(2, LogLevel.Warning, "Task {TaskId}: the lease of attempt {Attempt} was lost; its outcome is dropped")]
    private static partial void LogLeaseLost(ILogger logger, Guid taskId, int attempt);
}

/// <summary>Why no agent of the chain answered.</summary>
internal sealed record AgentFailure(ErrorClass Class, string Message, TimeSpan? RetryAfter, string Agent)
{
    /// <summary>
    /// Of several agents' failures the one that leaves hope is the attempt's: a retry may help if it may help with any. The
    /// wait is the shortest asked for.
    /// </summary>
    public static AgentFailure Merge(AgentFailure? before, AgentFailure latest)
    {
        if (before is null)
            return latest;
        var kept = before.Class.IsRetryable() && !latest.Class.IsRetryable() ? before : latest;
        var message = $"{before.Agent}: {before.Message} Then {latest.Agent}: {latest.Message}";
        var retryAfter = before.Class.IsRetryable() && latest.Class.IsRetryable()
            ? Shorter(before.RetryAfter, latest.RetryAfter)
            : kept.RetryAfter;
        return kept with { Message = message, RetryAfter = retryAfter };
    }

    private static TimeSpan? Shorter(TimeSpan? a, TimeSpan? b) => a is null || b is null ? null : a < b ? a : b;
}
