using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Events;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Workflows.Execution;

namespace ViralEngine.Core.Workflows;

/// <summary>
/// Carries a workflow as far as it goes. It is read, walked through without a transaction, as users' templates take their time, and
/// stored in one that holds the lock of its row, where nothing has changed meanwhile; else it is read anew. Whoever calls it and however
/// often, a step begins once and ends once: what is to be done is told by the rows alone.
/// </summary>
public sealed partial class AdvanceWorkflow(
    Db db,
    WorkflowTurnStore store,
    TaskStore tasks,
    ApproverDirectory approvers,
    WorkflowFaults faults,
    Signals signals,
    IOptions<LimitsOptions> limits,
    ILogger<AdvanceWorkflow> logger)
{
    /// <summary>A workflow that changes so often while it is looked at is looked at again a little later.</summary>
    private const int MaxReadings = 10;

    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestPutOff = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestUntold = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestUnchecked = TimeSpan.FromMinutes(5);

    /// <summary>Outside a transaction only.</summary>
    /// <returns>What is to run outside and when to look again; null: there is no such workflow.</returns>
    public async Task<WorkflowLook?> RunAsync(TenantId tenant, Guid id, CancellationToken ct)
    {
        try
        {
            for (var reading = 1; ; reading++)
            {
                if (await store.ReadAsync(tenant, id, ct) is not { } turn)
                    return null;
                if (turn.HasEnded)
                    return LookOf(turn);
                await WalkOf(tenant, turn, ct).GoAsync();
                if (await StoreAsync(tenant, turn, ct) is { } look)
                    return look;
                if (reading == MaxReadings)
                    return new WorkflowLook(false, [], turn.Now.AddSeconds(1));
            }
        }
        catch (Exception e) when (e is not OperationCanceledException && !DatabaseAway.Explains(e))
        {
            // Whatever is wrong with this workflow is wrong again at the next look.
            LogFault(logger, e, id);
            await db.RollbackAsync();
            return await faults.CountAsync(tenant, id, e, ct);
        }
    }

    /// <summary>
    /// Ends what a user asked to cancel, in the transaction that is open, if any. Rollbacks are begun by the next look: their templates
    /// are not rendered here.
    /// </summary>
    public async Task CancelAsync(TenantId tenant, Guid id, CancellationToken ct)
    {
        await db.BeginAsync(ct);
        if (await store.ReadAsync(tenant, id, ct) is { HasEnded: false } turn)
        {
            WalkOf(tenant, turn, ct).CancelOnly();
            await SaveAsync(tenant, turn, ct);
        }

        await db.CommitAsync(ct);
    }

    private WorkflowWalk WalkOf(TenantId tenant, WorkflowTurn turn, CancellationToken ct) => new(
        turn,
        new StepValues(turn, ids => store.OutputsAsync(tenant, turn.WorkflowId, ids, ct)),
        taskId => store.TaskResultAsync(tenant, taskId, ct),
        (roles, users, except) => approvers.CountAsync(tenant, roles, users, except, ct));

    /// <summary>Null: somebody else changed the workflow meanwhile.</summary>
    private async Task<WorkflowLook?> StoreAsync(TenantId tenant, WorkflowTurn turn, CancellationToken ct)
    {
        await db.BeginAsync(ct);
        if (!await store.LockUnchangedAsync(tenant, turn, ct))
        {
            await db.RollbackAsync();
            return null;
        }

        await AddTasksAsync(tenant, turn, ct);
        var look = await SaveAsync(tenant, turn, ct);
        await db.CommitAsync(ct);
        return look with { HasNewTasks = turn.NewTasks.Count > 0 };
    }

    private async Task<WorkflowLook> SaveAsync(TenantId tenant, WorkflowTurn turn, CancellationToken ct)
    {
        var look = LookOf(turn);
        foreach (var task in turn.TasksToCancel)
            await tasks.CancelAsync(tenant, task, "workflow", ct);
        await store.SaveAsync(tenant, turn, CheckAfter(look, turn), ct);
        await db.AfterCommitAsync(_ => PublishAsync(tenant, turn), ct);
        return look;
    }

    private async Task AddTasksAsync(TenantId tenant, WorkflowTurn turn, CancellationToken ct)
    {
        if (turn.NewTasks.Count == 0)
            return;
        var plan = limits.Value.Of(await store.PlanAsync(tenant, ct) ?? "");
        foreach (var task in turn.NewTasks)
        {
            try
            {
                await tasks.AddAsync(tenant, task with { MostPerMonth = plan.TasksPerMonth }, ct);
            }
            catch (PlanLimitException e)
            {
                // Nobody is there to be refused: the step waits until the plan allows it.
                var step = turn.Steps.Values.Single(each => each.TaskId == task.Id);
                turn.PutOff(step, e.Message, e.RetryAfter < LongestPutOff ? e.RetryAfter : LongestPutOff);
            }
        }
    }

    private Task PublishAsync(TenantId tenant, WorkflowTurn turn)
    {
        if (turn.Events.Count > 0)
            signals.Publish(tenant, turn.WorkflowId);
        foreach (var task in turn.TasksToCancel)
            signals.Publish(tenant, task);
        return Task.CompletedTask;
    }

    private static WorkflowLook LookOf(WorkflowTurn turn)
    {
        if (turn.HasEnded)
            return new WorkflowLook(true, [], null);
        var work = turn.Steps.Values
            .Where(step => step.Status == StepStatus.InProgress && (step.TaskId is not null || step.Request is not null))
            .Where(step => step.Result is null)
            .Select(step => new WorkflowWork(step.StepId, step.Kind, step.Run, step.Attempt, step.Request is null ? step.TaskId : null))
            .ToArray();
        var times = turn.Steps.Values
            .Where(step => step.Status is StepStatus.Waiting or StepStatus.Retrying)
            .Select(step => step.DueAt)
            .Concat(turn.Gates.Values.Select(gate => gate.NextTick))
            .Where(time => time is not null)
            .ToList();
        return new WorkflowLook(false, work, times.Count == 0 ? null : times.Min());
    }

    private static TimeSpan CheckAfter(WorkflowLook look, WorkflowTurn turn)
    {
        var until = look.WakeAt is { } wake ? wake - turn.Now + Slack : LongestUnchecked;
        // Whose end a lane could not tell, for it died at that moment, is found soon.
        if (look.Work.Any(work => work.TaskId is not null) && until > LongestUntold)
            until = LongestUntold;
        return until < Slack ? Slack : until > LongestUnchecked ? LongestUnchecked : until;
    }

    [LoggerMessage(1, LogLevel.Error, "Workflow {WorkflowId} could not be advanced; repeated errors fail it")]
    private static partial void LogFault(ILogger logger, Exception exception, Guid workflowId);
}

/// <summary>What a look at a workflow found.</summary>
/// <param name="WakeAt">When something is due by the clock: a delay, a retry, a gate's time-out or reminder.</param>
public sealed record WorkflowLook(bool Ended, IReadOnlyList<WorkflowWork> Work, DateTime? WakeAt)
{
    /// <summary>Tasks were stored, for lanes to run.</summary>
    public bool HasNewTasks { get; init; }
}

/// <summary>Something to be run outside for a step: its task, or (without one) its HTTP call.</summary>
public sealed record WorkflowWork(string StepId, StepKind Kind, int Run, int Attempt, Guid? TaskId)
{
    /// <summary>One text for it, the same whenever it is asked for.</summary>
    public string Key() => $"{Kind}:{StepId}:{Run}:{Attempt}";
}
