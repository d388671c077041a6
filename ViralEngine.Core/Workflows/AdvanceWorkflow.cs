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
/// Advances a workflow as far as possible. Reads it, walks through it without a transaction, because users' templates
/// take time, and stores the changes under the row's lock if nothing has changed meanwhile; otherwise starts over.
/// Idempotent: the rows alone decide, so that each step starts and ends once.
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
    /// <summary>A workflow that changes this often meanwhile is advanced a little later.</summary>
    private const int MaxReadings = 10;

    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan MaxPutOff = TimeSpan.FromHours(1);
    private static readonly TimeSpan MaxUntold = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxUnchecked = TimeSpan.FromMinutes(5);

    /// <summary>Must be called outside a transaction.</summary>
    /// <returns>The calls to run and when to advance again; null if the workflow does not exist.</returns>
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
            // The same error would occur again at the next advance.
            LogFault(logger, e, id);
            await db.RollbackAsync();
            return await faults.CountAsync(tenant, id, e, ct);
        }
    }

    /// <summary>
    /// Cancels a workflow on request, in the open transaction if any. The next advance starts rollbacks, because
    /// templates are not rendered here.
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

    /// <summary>Null if the workflow was changed meanwhile.</summary>
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
                await tasks.AddAsync(tenant, task with { MaxPerMonth = plan.TasksPerMonth }, ct);
            }
            catch (PlanLimitException e)
            {
                // There is no request to reject: the step waits until the plan allows it.
                var step = turn.Steps.Values.Single(each => each.TaskId == task.Id);
                turn.PutOff(step, e.Message, e.RetryAfter < MaxPutOff ? e.RetryAfter : MaxPutOff);
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
            .Where(
                step => step.Status == StepStatus.InProgress && (step.TaskId is not null || step.Request is not null))
            .Where(step => step.Result is null)
            .Select(step => new WorkflowWork(
                step.StepId, step.Kind, step.Run, step.Attempt, step.Request is null ? step.TaskId : null))
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
        var until = look.WakeAt is { } wake ? wake - turn.Now + Slack : MaxUnchecked;
        // Finds tasks whose end was not reported because their lane died at that moment.
        if (look.Work.Any(work => work.TaskId is not null) && until > MaxUntold)
            until = MaxUntold;
        return until < Slack ? Slack : until > MaxUnchecked ? MaxUnchecked : until;
    }

    [LoggerMessage(1, LogLevel.Error, "Workflow {WorkflowId} could not be advanced; repeated errors fail it")]
    private static partial void LogFault(ILogger logger, Exception exception, Guid workflowId);
}

/// <summary>The result of advancing a workflow.</summary>
/// <param name="WakeAt">When something is due: a delay, a retry, a gate's time-out or reminder.</param>
public sealed record WorkflowLook(bool Ended, IReadOnlyList<WorkflowWork> Work, DateTime? WakeAt)
{
    /// <summary>Whether tasks were stored for lanes to run.</summary>
    public bool HasNewTasks { get; init; }
}

/// <summary>A call to run for a step: its task or, without one, its HTTP call.</summary>
public sealed record WorkflowWork(string StepId, StepKind Kind, int Run, int Attempt, Guid? TaskId)
{
    /// <summary>A stable key for the call.</summary>
    public string Key() => $"{Kind}:{StepId}:{Run}:{Attempt}";
}
