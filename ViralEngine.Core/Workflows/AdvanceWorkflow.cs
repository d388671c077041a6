using Microsoft.Extensions.Options;
using ViralEngine.Core.Events;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Workflows.Execution;

namespace ViralEngine.Core.Workflows;

/// <summary>
/// Carries a workflow as far as it goes, in one transaction under the lock of its row. Whoever calls it and however often, a step
/// begins once and ends once: what is to be done is told by the rows alone.
/// </summary>
public sealed class AdvanceWorkflow(
    Db db, WorkflowTurnStore store, TaskStore tasks, Signals signals, IOptions<LimitsOptions> limits)
{
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestPutOff = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestUnchecked = TimeSpan.FromMinutes(5);

    /// <returns>What is to run outside and when to look again; null: there is no such workflow.</returns>
    public async Task<WorkflowLook?> RunAsync(TenantId tenant, Guid id, CancellationToken ct)
    {
        await db.BeginAsync(ct);
        if (await store.LockAsync(tenant, id, ct) is not { } turn)
        {
            await db.CommitAsync(ct);
            return null;
        }

        var ended = turn.HasEnded;
        if (!ended)
        {
            var values = new StepValues(turn, ids => store.OutputsAsync(tenant, id, ids, ct));
            await new WorkflowWalk(turn, values, taskId => store.TaskResultAsync(tenant, taskId, ct)).GoAsync();
        }

        if (!ended)
            await AddTasksAsync(tenant, turn, ct);
        var look = LookOf(turn);
        if (!ended)
        {
            foreach (var task in turn.TasksToCancel)
                await tasks.CancelAsync(tenant, task, "workflow", ct);
            await store.SaveAsync(tenant, turn, CheckAfter(look, turn), ct);
        }

        await db.AfterCommitAsync(_ => PublishAsync(tenant, turn), ct);
        await db.CommitAsync(ct);
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
        return until < Slack ? Slack : until > LongestUnchecked ? LongestUnchecked : until;
    }
}

/// <summary>What a look at a workflow found.</summary>
/// <param name="WakeAt">When something is due by the clock: a delay, a retry, a gate's time-out or reminder.</param>
public sealed record WorkflowLook(bool Ended, IReadOnlyList<WorkflowWork> Work, DateTime? WakeAt);

/// <summary>Something to be run outside for a step: its task, or (without one) its HTTP call.</summary>
public sealed record WorkflowWork(string StepId, StepKind Kind, int Run, int Attempt, Guid? TaskId)
{
    /// <summary>One text for it, the same whenever it is asked for.</summary>
    public string Key() => $"{Kind}:{StepId}:{Run}:{Attempt}";
}
