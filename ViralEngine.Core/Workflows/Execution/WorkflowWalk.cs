using System.Text.Json.Nodes;
using ViralEngine.Core.Events;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>
/// Walks a workflow as far as possible: forward through its steps and, after a permanent failure, back through the
/// completed ones. Deterministic: the same rows give the same walk.
/// </summary>
internal sealed class WorkflowWalk(
    WorkflowTurn turn, StepValues values, Func<Guid, Task<string>> readTaskResultAsync,
    CountApproversAsync countApproversAsync)
{
    private readonly StepActions actions = new(turn, values, readTaskResultAsync);
    private readonly StepWalk steps = new(turn, values, readTaskResultAsync, countApproversAsync);

    public async Task GoAsync()
    {
        if (turn.HasEnded)
            return;
        Start();
        if (turn.CancelRequested && turn.Status != WorkflowStatus.RollingBack)
            Cancel();
        else if (turn.Status != WorkflowStatus.RollingBack)
            await ForwardAsync();
        if (turn.Status == WorkflowStatus.RollingBack)
            await BackAsync();
    }

    /// <summary>Cancels running steps, and leaves rollbacks to the next walk.</summary>
    public void CancelOnly()
    {
        Start();
        if (turn.CancelRequested && turn.Status != WorkflowStatus.RollingBack)
            Cancel();
    }

    private void Start()
    {
        if (turn.Status != WorkflowStatus.Pending)
            return;
        turn.Status = WorkflowStatus.InProgress;
        turn.Tell(EventTypes.WorkflowStarted, new JsonObject { ["run"] = turn.Run });
    }

    private async Task ForwardAsync()
    {
        switch (await steps.WalkAsync(turn.Definition.Steps))
        {
            case Place.Done:
                turn.Status = WorkflowStatus.Completed;
                turn.Tell(EventTypes.WorkflowCompleted, []);
                break;
            case Place.Failed:
                turn.Error = steps.ErrorOf(turn.Definition.Steps);
                RollBackOrEnd(WorkflowStatus.Failed);
                break;
            default:
                Rest();
                break;
        }
    }

    /// <summary>Sets whether the workflow is running or only waiting.</summary>
    private void Rest()
    {
        var runs = turn.Steps.Values.Any(step =>
            step is { Status: StepStatus.InProgress } && (step.TaskId ?? (object?)step.Request) is not null);
        if (runs)
        {
            turn.Status = WorkflowStatus.InProgress;
        }
        else if (turn.Status != WorkflowStatus.Waiting)
        {
            turn.Status = WorkflowStatus.Waiting;
            turn.Tell(EventTypes.WorkflowWaiting, new JsonObject
            {
                ["steps"] = new JsonArray([.. turn.Steps.Values
                    .Where(step => step.Status is StepStatus.Waiting or StepStatus.Retrying)
                    .Select(step => (JsonNode)step.StepId)]),
            });
        }
    }

    private void Cancel()
    {
        foreach (var step in turn.Steps.Values)
            turn.Cancel(step);
        if (turn.Definition.RollbackOnCancel)
            RollBackOrEnd(WorkflowStatus.Cancelled);
        else
            End(WorkflowStatus.Cancelled);
    }

    private void RollBackOrEnd(WorkflowStatus ending)
    {
        if (!ToUndo().Any())
        {
            End(ending);
            return;
        }

        turn.Status = WorkflowStatus.RollingBack;
        turn.Ending = ending;
        turn.Tell(
            EventTypes.WorkflowRollingBack,
            turn.Error is { } error ? new JsonObject { ["error"] = WorkflowTurn.ErrorJson(error) } : []);
    }

    /// <summary>
    /// Rolls back one step at a time, in reverse order of completion. A failed rollback does not stop the others.
    /// </summary>
    private async Task BackAsync()
    {
        foreach (var (step, rollback) in ToUndo().ToList())
        {
            var undo = turn.Find(step.Id, StepKind.Rollback);
            if (undo is null)
            {
                undo = turn.Begin(step.Id, StepKind.Rollback, StepStatus.InProgress);
                await actions.StartAsync(undo, rollback);
            }
            else if (!undo.Status.HasEnded())
            {
                await actions.SettleAsync(undo, rollback);
            }

            if (!undo.Status.HasEnded())
                return;
        }

        var undone = turn.Steps.Values.Where(step => step.Kind == StepKind.Rollback).OrderBy(
            step => step.CompletedEvent).ToList();
        turn.Status = turn.Ending!.Value;
        turn.Ending = null;
        turn.Tell(EventTypes.WorkflowRolledBack, new JsonObject
        {
            ["steps"] = Ids(undone.Where(step => step.Status == StepStatus.Completed)),
            ["failed"] = Ids(undone.Where(step => step.Status == StepStatus.Failed)),
        });
        TellEnd();
    }

    private IEnumerable<(WorkflowStep Step, StepAction Rollback)> ToUndo() =>
        from step in turn.Definition.AllSteps
        where step.Rollback is not null
        let run = turn.Find(step.Id)
        where run is { Status: StepStatus.Completed }
        orderby run.CompletedEvent descending
        select (step, step.Rollback!);

    private void End(WorkflowStatus status)
    {
        turn.Status = status;
        TellEnd();
    }

    private void TellEnd()
    {
        if (turn.Status == WorkflowStatus.Failed)
            turn.Tell(EventTypes.WorkflowFailed, new JsonObject { ["error"] = WorkflowTurn.ErrorJson(turn.Error!) });
        else
            turn.Tell(EventTypes.WorkflowCancelled, []);
    }

    private static JsonArray Ids(IEnumerable<StepRun> steps) => new([.. steps.Select(step => (JsonNode)step.StepId)]);
}
