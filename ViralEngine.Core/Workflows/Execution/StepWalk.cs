using System.Text.Json.Nodes;
using ViralEngine.Core.Workflows.Conditions;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>Walks through steps: settles those that have ended, and starts those that can start.</summary>
internal sealed class StepWalk(
    WorkflowTurn turn, StepValues values, Func<Guid, Task<string>> readTaskResultAsync,
    CountApproversAsync countApproversAsync)
{
    private readonly StepActions actions = new(turn, values, readTaskResultAsync);
    private readonly StepWaits waits = new(turn, values, countApproversAsync);

    /// <summary>Walks through a sequence up to the first step that is not done.</summary>
    public async Task<Place> WalkAsync(IReadOnlyList<WorkflowStep> steps)
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
            case ParallelStep:
                break; // its branches begin when it is walked
            default:
                throw Unknown(step);
        }

        return run;
    }

    private async Task SettleAsync(WorkflowStep step, StepRun run)
    {
        switch (step)
        {
            case ActionStep action:
                await actions.SettleAsync(run, action.Action);
                break;
            case ApprovalStep approval:
                waits.Settle(run, approval);
                break;
            case DelayStep:
                waits.Settle(run);
                break;
            case ChoiceStep or ParallelStep:
                break; // settled by walking their steps
            default:
                throw Unknown(step);
        }
    }

    /// <summary>A type of step that is missing here fails the workflow, which would wait for ever otherwise.</summary>
    private static InvalidOperationException Unknown(WorkflowStep step) =>
        new($"Steps of type {step.GetType().Name} cannot be run.");

    private async Task ChooseAsync(ChoiceStep choice, StepRun run)
    {
        try
        {
            run.Branch = choice.Conditions.Count;
            foreach (var (index, branch) in choice.Conditions.Index())
            {
                if (await ConditionCheck.HoldsAsync(
                    branch.Condition, await values.ForAsync(ConditionTexts.Of(branch.Condition))))
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
                running++; // waits for its turn: not all are done
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
                foreach (var other in parallel.Branches.SelectMany(each => each.Steps).SelectMany(
                    step => step.WithInner()))
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
            var told =
                new JsonObject { ["name"] = branch.Name, ["status"] = failed.Contains(index) ? "failed" : "completed" };
            if (failed.Contains(index))
                told["error"] = WorkflowTurn.ErrorJson(ErrorOf(branch.Steps));
            return (JsonNode)told;
        })]),
    };

    /// <summary>The error of a sequence: that of its first failed step.</summary>
    public StepError ErrorOf(IEnumerable<WorkflowStep> steps) =>
        steps.Select(step => turn.Find(step.Id)).Select(run => run switch
        {
            { Status: StepStatus.Failed } => run.Error,
            { Status: StepStatus.Cancelled } => new StepError("cancelled", "The step was cancelled.", run.StepId),
            _ => null,
        }).First(error => error is not null)!;
}

/// <summary>The state of a sequence of steps.</summary>
internal enum Place
{
    Running,
    Done,
    Failed,
}
