using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Runs a lane of single tasks, of all tenants, for a turn: claims what is due into a pool of running calls and tops it
/// up as they end. Idempotent.
/// </summary>
public sealed partial class TaskLaneRunner(
    TaskClaimStore claims,
    TaskRunner tasks,
    AgentRunner agents,
    CallSlots slots,
    LaneSignals signals,
    LapsedLook lapsed,
    IOptions<LanesOptions> options,
    TimeProvider time,
    ILogger<TaskLaneRunner> logger)
{
    /// <summary>How long ended calls gather before one claim refills all their places.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookWithoutRedis = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LookForRoom = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan NoPlace = TimeSpan.FromSeconds(1);

    /// <summary>How often a full lane asks for another lane.</summary>
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(500);

    private readonly HashSet<Task> running = [];
    private long lastWork;
    private long lastAsked;

    /// <exception cref="OperationCanceledException">The process is stopping; unfinished tasks were
    /// released.</exception>
    public async Task<TaskLaneTurn> RunAsync(TaskLaneHost host, CancellationToken ct)
    {
        var started = lastWork = time.GetTimestamp();
        var listener = await signals.ListenAsync();
        try
        {
            while (!ct.IsCancellationRequested && time.GetElapsedTime(started).TotalSeconds < options.Value.TurnSeconds)
            {
                await FreeLapsedAsync(host, ct);
                var found = await ClaimAsync(host, listener, ct);
                if (found is null || found.Tasks.Count > 0 || Count() > 0)
                    lastWork = time.GetTimestamp();
                else if (IsIdle(found))
                    return await EndIdleAsync(host, listener, ct);
                if (found is null && Count() == 0)
                    return new TaskLaneTurn(false, NoPlace);
                await WaitAsync(listener, found, started, ct);
            }

            await listener.DisposeAsync();
            await Task.WhenAll(Running());
            ct.ThrowIfCancellationRequested();
            return new TaskLaneTurn(false, null);
        }
        finally
        {
            await listener.DisposeAsync();
            // Also after failed claims: running calls are completed.
            await Task.WhenAll(Running());
        }
    }

    /// <summary>
    /// Stops listening before the last look, so that a task stored after it finds no lane listening and starts one.
    /// </summary>
    private async Task<TaskLaneTurn> EndIdleAsync(TaskLaneHost host, LaneListener listener, CancellationToken ct)
    {
        await listener.DisposeAsync();
        var last = await ClaimAsync(host, listener, ct);
        await Task.WhenAll(Running());
        return last is null || last.Tasks.Count > 0 || last.Ready ? new TaskLaneTurn(false, null) : TaskLaneTurn.Over;
    }

    /// <summary>Whether there has been no work for a while, and will be none soon.</summary>
    private bool IsIdle(ClaimedTasks found)
    {
        var idle = time.GetElapsedTime(lastWork);
        var most = TimeSpan.FromSeconds(options.Value.IdleSeconds);
        return !found.Ready && idle >= most && (found.NextIn is not { } next || next > most);
    }

    /// <summary>Null if this instance has no free place.</summary>
    private async Task<ClaimedTasks?> ClaimAsync(TaskLaneHost host, LaneListener listener, CancellationToken ct)
    {
        using var places = slots.SetAside(options.Value.CallsPerLane - Count());
        if (places.Places == 0 && Count() < options.Value.CallsPerLane)
            return null;
        var since = time.GetTimestamp();
        var found = await claims.ClaimAsync(places, ct);
        // Loaded after the claim, so that a task runs with its current agent.
        var chains = await LoadAsync(found.Tasks, ct);
        foreach (var (tenant, attempt) in found.Tasks)
        {
            places.Spend(tenant);
            Start(host, listener, tenant, attempt, since, chains[(tenant, attempt.AgentId)], ct);
        }

        if (found.Ready && Count() >= options.Value.CallsPerLane)
            await AskForAnotherAsync(host, listener, ct);
        return found;
    }

    private async Task AskForAnotherAsync(TaskLaneHost host, LaneListener listener, CancellationToken ct)
    {
        if (lastAsked != 0 && time.GetElapsedTime(lastAsked) < AskEvery)
            return;
        lastAsked = time.GetTimestamp();
        listener.PassOn();
        await host.StartAnotherAsync(ct);
    }

    private async Task<Dictionary<(TenantId, string), AgentChain>> LoadAsync(
        IReadOnlyList<ClaimedTask> claimed, CancellationToken ct)
    {
        var chains = new Dictionary<(TenantId, string), AgentChain>();
        foreach (var (tenant, agentId) in claimed.Select(task => (task.Tenant, task.Attempt.AgentId)).Distinct())
        {
            chains[(tenant, agentId)] = await StoredAgain.RunAsync(
                () => agents.LoadAsync(tenant, agentId, CancellationToken.None), time, logger, ct);
        }

        return chains;
    }

    private void Start(
        TaskLaneHost host, LaneListener listener, TenantId tenant, TaskAttempt attempt, long since, AgentChain chain,
        CancellationToken ct)
    {
        var run = Task.Run(() => RunAsync(host, listener, tenant, attempt, since, chain, ct), CancellationToken.None);
        lock (running)
            running.Add(run);
        _ = run.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

        void Forget(Task ended)
        {
            lock (running)
                running.Remove(ended);
            listener.Wake();
        }
    }

    private async Task RunAsync(
        TaskLaneHost host, LaneListener listener, TenantId tenant, TaskAttempt attempt, long since, AgentChain chain,
        CancellationToken ct)
    {
        try
        {
            var run = await tasks.RunAsync(tenant, attempt, since, chain, ct);
            if (run.Held is { } held)
                await claims.PutOffAsync(tenant, attempt.AgentId, held.Reason.ToText(), held.Wait, ct);
            if (run.Ended && attempt.Workflow is { } workflow)
                await host.TellWorkflowAsync(workflow, CancellationToken.None);
            // Claim again to learn when it is due.
            if (!run.Ended)
                listener.Tell();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Its lease expires and it is claimed again; the lane continues with the others.
            LogFailed(logger, e, attempt.TaskId);
        }
        finally
        {
            slots.Return(tenant);
        }
    }

    private async Task FreeLapsedAsync(TaskLaneHost host, CancellationToken ct)
    {
        if (!lapsed.IsDue())
            return;
        var (freed, ended) = await claims.FreeLapsedAsync(ct);
        if (freed > 0)
            LogFreed(logger, freed);
        foreach (var workflow in ended)
            await host.TellWorkflowAsync(workflow, ct);
    }

    /// <summary>Waits until there may be something to claim or to maintain.</summary>
    private async Task WaitAsync(LaneListener listener, ClaimedTasks? found, long started, CancellationToken ct)
    {
        var most = found is null ? LookForRoom : signals.CanTell ? LookEvery : LookWithoutRedis;
        var turn = TimeSpan.FromSeconds(options.Value.TurnSeconds) - time.GetElapsedTime(started);
        var until = new[] { most, turn, found?.NextIn ?? most }.Min();
        var since = time.GetTimestamp();
        try
        {
            while (until - time.GetElapsedTime(since) is { Ticks: > 0 } left
                && await listener.WaitAsync(left, hasRoom: Count() < options.Value.CallsPerLane, ct))
            {
                if (listener.WasTold())
                    return;
                // A call has ended, and others are about to: one claim refills all places.
                if (found is not { Ready: false })
                {
                    await Task.Delay(Gathering, time, ct);
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The turn is over.
        }
    }

    private Task[] Running()
    {
        lock (running)
            return [.. running];
    }

    private int Count()
    {
        lock (running)
            return running.Count;
    }

    [LoggerMessage(
        1, LogLevel.Error, "Task {TaskId}: the result could not be stored; the task runs again when its lease expires")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid taskId);

    [LoggerMessage(2, LogLevel.Information, "Released {Count} tasks of stopped instances; they run again")]
    private static partial void LogFreed(ILogger logger, int count);
}

/// <summary>The orchestration side of a lane.</summary>
/// <param name="StartAnotherAsync">Called when more is due than this lane can take.</param>
/// <param name="TellWorkflowAsync">Called when a task ends that a workflow's step waits for.</param>
public sealed record TaskLaneHost(
    Func<CancellationToken, Task> StartAnotherAsync, Func<TaskWorkflow, CancellationToken, Task> TellWorkflowAsync);

/// <summary>How a lane's turn ended.</summary>
/// <param name="Ended">Whether there was nothing to do.</param>
/// <param name="Wait">The wait before the next turn; null for none.</param>
public sealed record TaskLaneTurn(bool Ended, TimeSpan? Wait)
{
    internal static TaskLaneTurn Over { get; } = new(true, null);
}
