using System.Text.Json.Nodes;
using ViralEngine.Core.Workflows.Conditions;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>
/// Carries a workflow as far as it goes now: settles what has come to an end, begins what can begin, and, when a step has failed for
/// good, undoes what was done. The same rows give the same walk, so it does not matter who takes it, or how often.
/// </summary>
internal sealed class WorkflowWalk(WorkflowTurn turn, StepValues values, Func<Guid, Task<string>> readTaskResultAsync)
{
    private readonly StepActions actions = new(turn, values);
    private readonly StepWaits waits = new(turn, values);

    private enum Place
    {
        Running,
        Done,
        Failed,
    }

    public async Task GoAsync()
    {
        if (turn.HasEnded)
            return;
        if (turn.Status == WorkflowStatus.Pending)
        {
            turn.Status = WorkflowStatus.InProgress;
            turn.Tell("workflow.started", new JsonObject { ["run"] = turn.Run });
        }

        if (turn.CancelRequested && turn.Status != WorkflowStatus.RollingBack)
            Cancel();
        else if (turn.Status != WorkflowStatus.RollingBack)
            await ForwardAsync();
        if (turn.Status == WorkflowStatus.RollingBack)
            await BackAsync();
    }

    private async Task ForwardAsync()
    {
        switch (await WalkAsync(turn.Definition.Steps))
        {
            case Place.Done:
                turn.Status = WorkflowStatus.Completed;
                turn.Tell("workflow.completed", []);
                break;
            case Place.Failed:
                turn.Error = ErrorOf(turn.Definition.Steps);
                RollBackOrEnd(WorkflowStatus.Failed);
                break;
            default:
                Rest();
                break;
        }
    }

    /// <summary>Whether something runs, or all there is to do is to wait.</summary>
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
            turn.Tell("workflow.waiting", new JsonObject
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
        turn.Tell("workflow.rolling_back", turn.Error is { } error ? new JsonObject { ["error"] = WorkflowTurn.ErrorJson(error) } : []);
    }

    /// <summary>One rollback at a time, in reverse of the order in which the steps were completed. One that fails stops no other.</summary>
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
                await actions.SettleAsync(undo, rollback, readTaskResultAsync);
            }

            if (!undo.Status.HasEnded())
                return;
        }

        var undone = turn.Steps.Values.Where(step => step.Kind == StepKind.Rollback).OrderBy(step => step.CompletedEvent).ToList();
        turn.Status = turn.Ending!.Value;
        turn.Ending = null;
        turn.Tell("workflow.rolled_back", new JsonObject
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
            turn.Tell("workflow.failed", new JsonObject { ["error"] = WorkflowTurn.ErrorJson(turn.Error!) });
        else
            turn.Tell("workflow.cancelled", []);
    }

    private async Task<Place> WalkAsync(IReadOnlyList<WorkflowStep> steps)
    {
        foreach (var step in steps)
        {
            var place = await VisitAsync(step);
            if (place != Place.Done)
                return place;
        }

        return Place.Done;
    }

    private async Task<Place> VisitAsync(WorkflowStep step)
    {
        var run = turn.Find(step.Id);
        if (run is null)
            run = await BeginAsync(step);
        else if (!run.Status.HasEnded())
            await SettleAsync(step, run);

        if (!run.Status.HasEnded())
        {
            switch (step)
            {
                case ParallelStep parallel:
                    await WalkParallelAsync(parallel, run);
                    break;
                case ChoiceStep choice:
                    await WalkChoiceAsync(choice, run);
                    break;
            }
        }

        return run.Status switch
        {
            StepStatus.Completed => Place.Done,
            StepStatus.Failed or StepStatus.Cancelled => Place.Failed,
            _ => Place.Running,
        };
    }

    private async Task<StepRun> BeginAsync(WorkflowStep step)
    {
        var waiting = step is ApprovalStep or DelayStep;
        var run = turn.Begin(step.Id, StepKind.Step, waiting ? StepStatus.Waiting : StepStatus.InProgress);
        switch (step)
        {
            case ActionStep action:
                await actions.StartAsync(run, action.Action);
                break;
            case ApprovalStep approval:
                await waits.OpenAsync(run, approval);
                break;
            case DelayStep delay:
                await waits.OpenAsync(run, delay);
                if (!run.Status.HasEnded())
                    waits.Settle(run);
                break;
            case ChoiceStep choice:
                await ChooseAsync(choice, run);
                break;
        }

        return run;
    }

    private async Task SettleAsync(WorkflowStep step, StepRun run)
    {
        switch (step)
        {
            case ActionStep action:
                await actions.SettleAsync(run, action.Action, readTaskResultAsync);
                break;
            case ApprovalStep approval:
                waits.Settle(run, approval);
                break;
            case DelayStep:
                waits.Settle(run);
                break;
        }
    }

    private async Task ChooseAsync(ChoiceStep choice, StepRun run)
    {
        try
        {
            run.Branch = choice.Conditions.Count;
            foreach (var (index, branch) in choice.Conditions.Index())
            {
                if (await ConditionCheck.HoldsAsync(branch.Condition, await values.ForAsync(ConditionTexts.Of(branch.Condition))))
                {
                    run.Branch = index;
                    break;
                }
            }
        }
        catch (LiquidException e)
        {
            turn.Fail(run, new StepError("template", e.Message, choice.Id));
        }
    }

    private async Task WalkChoiceAsync(ChoiceStep choice, StepRun run)
    {
        var steps = choice.Inner[run.Branch!.Value];
        switch (await WalkAsync(steps))
        {
            case Place.Done:
                turn.Complete(run, new JsonObject { ["branch"] = choice.NameOf(run.Branch.Value) }.ToJsonString());
                break;
            case Place.Failed:
                turn.Fail(run, ErrorOf(steps));
                break;
        }
    }

    private async Task WalkParallelAsync(ParallelStep parallel, StepRun run)
    {
        var running = 0;
        var failed = new List<int>();
        foreach (var (index, branch) in parallel.Branches.Index())
        {
            var begun = branch.Steps.Any(step => turn.Find(step.Id) is not null);
            if (!begun && running >= parallel.MaxConcurrency)
            {
                running++; // it waits for its turn: not all are done
                continue;
            }

            switch (await WalkAsync(branch.Steps))
            {
                case Place.Running:
                    running++;
                    break;
                case Place.Failed:
                    failed.Add(index);
                    break;
            }

            if (failed.Count > 0 && parallel.FailFast)
            {
                foreach (var other in parallel.Branches.SelectMany(each => each.Steps).SelectMany(step => step.WithInner()))
                {
                    if (turn.Find(other.Id) is { } under)
                        turn.Cancel(under);
                }

                turn.Fail(run, ErrorOf(parallel.Branches[failed[0]].Steps));
                return;
            }
        }

        if (running > 0)
            return;
        if (failed.Count == parallel.Branches.Count)
            turn.Fail(run, ErrorOf(parallel.Branches[failed[0]].Steps));
        else
            turn.Complete(run, OutputOf(parallel, failed).ToJsonString());
    }

    private JsonObject OutputOf(ParallelStep parallel, List<int> failed) => new()
    {
        ["completed"] = parallel.Branches.Count - failed.Count,
        ["failed"] = failed.Count,
        ["branches"] = new JsonArray([.. parallel.Branches.Select((branch, index) =>
        {
            var told = new JsonObject { ["name"] = branch.Name, ["status"] = failed.Contains(index) ? "failed" : "completed" };
            if (failed.Contains(index))
                told["error"] = WorkflowTurn.ErrorJson(ErrorOf(branch.Steps));
            return (JsonNode)told;
        })]),
    };

    /// <summary>Why a sequence failed: its first step that did.</summary>
    private StepError ErrorOf(IEnumerable<WorkflowStep> steps) =>
        steps.Select(step => turn.Find(step.Id)).Select(run => run switch
        {
            { Status: StepStatus.Failed } => run.Error,
            { Status: StepStatus.Cancelled } => new StepError("cancelled", "The step was cancelled.", run.StepId),
            _ => null,
        }).First(error => error is not null)!;

    private static JsonArray Ids(IEnumerable<StepRun> steps) => new([.. steps.Select(step => (JsonNode)step.StepId)]);
}
