using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>Runs a claimed attempt, streams the answer, and stores the outcome.</summary>
public sealed partial class TaskRunner(
    TaskLeaseStore store,
    LeaseKeeper keeper,
    AgentRunner agents,
    TokenLog log,
    StreamPartStore parts,
    AnswerMemory memory,
    Signals signals,
    TimeProvider time,
    Random random,
    ILogger<TaskRunner> logger)
{
    /// <summary>After this many workers died over a task, the task is assumed to be the cause.</summary>
    private const int MaxLostAttempts = 10;

    /// <summary>Longer waits are spent in the queue, not in a lane.</summary>
    private static readonly TimeSpan MaxWaitInLane = TimeSpan.FromSeconds(2);

    /// <param name="since">When the claim was sent.</param>
    /// <param name="chain">The agent and its fallbacks.</param>
    /// <param name="ct">Cancelled when the process stops: then the task is released.</param>
    internal async Task<TaskRun> RunAsync(
        TenantId tenant, TaskAttempt attempt, long since, AgentChain chain, CancellationToken ct)
    {
        using var activity = AgentRunner.Source.StartActivity(
            "task.attempt", ActivityKind.Internal, attempt.TraceParent);
        activity?.SetTag("viral.task.id", attempt.TaskId).SetTag("viral.task.attempt", attempt.Attempt);
        using var lease = keeper.Hold(tenant, attempt.TaskId, attempt.Attempt, since, ct);
        TokenWriter? writer = null;
        try
        {
            writer = await OpenStreamAsync(tenant, attempt, ct);
            return await RunLeasedAsync(tenant, attempt, chain, writer, lease, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException && !DbFault.IsAway(e))
        {
            // Any error fails only this task.
            LogFault(logger, e, attempt.TaskId, attempt.Number);
            var fault = Fault(attempt, "The attempt failed with an internal error, which is logged.");
            // The stream is not kept, because it may be what cannot be stored.
            return await FailAsync(tenant, attempt, writer?.LastNumber ?? attempt.StreamBase, writer?.Used, fault, ct);
        }
        finally
        {
            writer?.Dispose();
            signals.Publish(tenant, attempt.TaskId);
        }
    }

    private async Task<TaskRun> RunLeasedAsync(
        TenantId tenant, TaskAttempt attempt, AgentChain chain, TokenWriter writer, HeldLease lease,
        CancellationToken ct)
    {
        AgentOutcome outcome;
        try
        {
            var calling = attempt.LostAttempts >= MaxLostAttempts
                ? Task.FromResult<AgentOutcome>(
                    Fault(attempt, $"The process running the task stopped {attempt.LostAttempts} times."))
                : CallAsync(tenant, attempt, chain, writer, lease);
            // An immediate answer is signalled once, when it is stored.
            if (!calling.IsCompleted)
                signals.Publish(tenant, attempt.TaskId);
            outcome = await calling;
        }
        catch (OperationCanceledException) when (lease.Ended.IsCancellationRequested)
        {
            using var rest = await memory.HoldWholeAsync(writer.Collected, CancellationToken.None);
            return await GiveUpAsync(tenant, attempt, writer, lease, ct);
        }

        writer.FlushRest();
        using var whole = await memory.HoldWholeAsync(writer.Collected, CancellationToken.None);
        return outcome switch
        {
            AgentOutcome.Answered answered => await CompleteAsync(tenant, attempt, writer, answered, ct),
            AgentOutcome.Held held => await HoldAsync(tenant, attempt, writer, held, ct),
            AgentOutcome.Failed failed => await FailAsync(tenant, attempt, writer, failed, ct),
            _ => throw new InvalidOperationException($"Unknown outcome {outcome}."),
        };
    }

    /// <summary>Makes the call, waiting in place for short waits.</summary>
    private async Task<AgentOutcome> CallAsync(
        TenantId tenant, TaskAttempt attempt, AgentChain chain, TokenWriter writer, HeldLease lease)
    {
        var work = new AgentWork(
            attempt.TaskId, attempt.FailedAttempts + 1, attempt.AgentId, attempt.Description, attempt.Input,
            attempt.Timeout)
        {
            Waits = reason => lease.WaitingFor = reason?.ToText(),
            Starting = lease.Since.ConfirmAsync,
        };
        var waited = TimeSpan.Zero;
        while (true)
        {
            var outcome = await agents.RunAsync(tenant, chain, work, writer, lease.Ended);
            if (outcome is not AgentOutcome.Held held || (waited += held.Wait) > MaxWaitInLane)
                return outcome;
            lease.WaitingFor = held.Reason.ToText();
            await Task.Delay(held.Wait, time, lease.Ended);
            lease.WaitingFor = null;
        }
    }

    private async Task<TokenWriter> OpenStreamAsync(TenantId tenant, TaskAttempt attempt, CancellationToken ct)
    {
        var streamBase = attempt.StreamBase;
        if (attempt.TakenOver && log.IsConfigured)
        {
            using var whole = await memory.HoldWholeAsync(TokenWriter.MaxEntries, ct);
            await KeepAsync(
                tenant, attempt,
                StreamPart.Of(streamBase, await log.ReadAllAsync(tenant, attempt.TaskId, attempt.Attempt - 1)), ct);
            // Readers may have seen more than is still known, so numbers continue beyond all of it.
            streamBase += await log.LastAsync(tenant, attempt.TaskId, attempt.Attempt - 1) ?? TokenWriter.MaxEntries;
            await store.MoveStreamAsync(tenant, attempt.TaskId, attempt.Attempt, streamBase, ct);
        }

        var writer = new TokenWriter(log, store, signals, time, tenant, attempt, streamBase, memory);
        writer.Reset();
        return writer;
    }

    private async Task<TaskRun> CompleteAsync(
        TenantId tenant, TaskAttempt attempt, TokenWriter writer, AgentOutcome.Answered answered, CancellationToken ct)
    {
        await KeepAsync(tenant, attempt, writer.BeforeAnswer(), ct);
        var answer = writer.Finish(answered);
        if (await StoreAsync(() => store.CompleteAsync(tenant, attempt.TaskId, attempt.Attempt, answer), ct))
            TaskMetrics.Ended(AgentTaskStatus.Completed);
        else
            LogLeaseLost(logger, attempt.TaskId, attempt.Number);
        return TaskRun.Over;
    }

    private async Task<TaskRun> FailAsync(
        TenantId tenant, TaskAttempt attempt, TokenWriter writer, AgentOutcome.Failed failure, CancellationToken ct)
    {
        await KeepAsync(tenant, attempt, writer.WithoutAnswer(), ct);
        return await FailAsync(tenant, attempt, writer.LastNumber, writer.Used, failure, ct);
    }

    private async Task<TaskRun> FailAsync(
        TenantId tenant, TaskAttempt attempt, int streamBase, AgentUsage? used, AgentOutcome.Failed failure,
        CancellationToken ct)
    {
        var delay = RetryRules.Delay(
            failure.Class, failure.RetryAfter, attempt.FailedAttempts, attempt.MaxAttempts, random);
        var error = new TaskError(failure.Class.ToApiName(), failure.Message, failure.Agent, attempt.Number);
        var kept = await StoreAsync(
            () => store.FailAsync(
                tenant, attempt.TaskId, attempt.Attempt, error, streamBase, used, delay, CancellationToken.None),
            ct);
        if (!kept)
            LogLeaseLost(logger, attempt.TaskId, attempt.Number);
        else if (delay is null)
            TaskMetrics.Ended(AgentTaskStatus.Failed);
        return new TaskRun(delay is null, null);
    }

    private async Task<TaskRun> HoldAsync(
        TenantId tenant, TaskAttempt attempt, TokenWriter writer, AgentOutcome.Held held, CancellationToken ct)
    {
        await KeepAsync(tenant, attempt, writer.WithoutAnswer(), ct);
        await StoreAsync(
            () => store.HoldAsync(
                tenant, attempt.TaskId, attempt.Attempt, writer.LastNumber, held.Reason.ToText(), held.Wait,
                CancellationToken.None),
            ct);
        return new TaskRun(false, held);
    }

    private async Task<TaskRun> GiveUpAsync(
        TenantId tenant, TaskAttempt attempt, TokenWriter writer, HeldLease lease, CancellationToken ct)
    {
        await KeepAsync(tenant, attempt, writer.WithoutAnswer(), ct);
        switch (lease.End)
        {
            case LeaseEnd.Cancelled:
                await StoreAsync(
                    () => store.EndCancelledAsync(
                        tenant, attempt.TaskId, attempt.Attempt, writer.LastNumber, writer.Used,
                        CancellationToken.None),
                    ct);
                return TaskRun.Over;
            case LeaseEnd.Lost:
                LogLeaseLost(logger, attempt.TaskId, attempt.Number);
                return new TaskRun(false, null);
            default:
                await store.ReleaseAsync(
                    tenant, attempt.TaskId, attempt.Attempt, writer.LastNumber, writer.Used, CancellationToken.None);
                return new TaskRun(false, null);
        }
    }

    /// <summary>Before the attempt's end is stored, because nobody would do it later.</summary>
    private async Task KeepAsync(TenantId tenant, TaskAttempt attempt, StreamPart? part, CancellationToken stopping)
    {
        if (part is not null)
            await StoreAsync(
                () => parts.AddAsync(tenant, attempt.TaskId, attempt.Attempt, part, CancellationToken.None), stopping);
    }

    private static AgentOutcome.Failed Fault(TaskAttempt attempt, string message) =>
        new(ErrorClass.Internal, message, null, attempt.AgentId);

    /// <summary>Not cancelled with the process, because results must be kept and each step is short.</summary>
    private Task<T> StoreAsync<T>(Func<Task<T>> storeAsync, CancellationToken stopping) =>
        StoredAgain.RunAsync(storeAsync, time, logger, stopping);

    [LoggerMessage(
        1, LogLevel.Warning, "Task {TaskId}: the lease of attempt {Attempt} was lost; its result is dropped")]
    private static partial void LogLeaseLost(ILogger logger, Guid taskId, int attempt);

    [LoggerMessage(2, LogLevel.Error, "Task {TaskId}: attempt {Attempt} failed with an unexpected error")]
    private static partial void LogFault(ILogger logger, Exception exception, Guid taskId, int attempt);
}

/// <summary>The outcome of an attempt.</summary>
/// <param name="Ended">Whether the task has ended, here or elsewhere.</param>
/// <param name="Held">Set if it was released without a call.</param>
internal sealed record TaskRun(bool Ended, AgentOutcome.Held? Held)
{
    public static TaskRun Over { get; } = new(true, null);
}
