using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Events;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>
/// One advance of a workflow, in memory: its state and its changes, which are then stored together under the lock of
/// the workflow's row, or not at all.
/// </summary>
internal sealed class WorkflowTurn
{
    public required Guid WorkflowId { get; init; }

    public required WorkflowDefinition Definition { get; init; }

    public required JsonElement? Input { get; init; }

    public required string CreatedBy { get; init; }

    public required int Run { get; init; }

    /// <summary>By the database's clock, read after the lock was taken.</summary>
    public required DateTime Now { get; init; }

    public required WorkflowStatus Status { get; set; }

    public required bool CancelRequested { get; init; }

    public required Dictionary<(string Id, StepKind Kind), StepRun> Steps { get; init; }

    public required IReadOnlyDictionary<Guid, TaskOutcome> Tasks { get; init; }

    /// <summary>The gates of this run, by step.</summary>
    public required Dictionary<string, Gate> Gates { get; init; }

    public required int LastEvent { get; set; }

    /// <summary>The revision of the workflow's row when it was read.</summary>
    public required int Revision { get; init; }

    public WorkflowStatus? Ending { get; set; }

    public StepError? Error { get; set; }

    public List<NewEvent> Events { get; } = [];

    public List<NewTask> NewTasks { get; } = [];

    public List<Guid> TasksToCancel { get; } = [];

    public StepRun? Find(string stepId, StepKind kind = StepKind.Step) => Steps.GetValueOrDefault((stepId, kind));

    /// <summary>Whether the workflow has ended.</summary>
    public bool HasEnded => Status.HasEnded();

    public void Tell(string type, JsonObject data)
    {
        data["status"] ??= Status.ToText();
        Events.Add(new NewEvent(++LastEvent, type, data));
    }

    public StepRun Begin(string stepId, StepKind kind, StepStatus status)
    {
        var step = new StepRun
        {
            StepId = stepId,
            Kind = kind,
            Run = Run,
            StartedAt = Now,
            Status = status,
            Changed = true,
        };
        Steps[(stepId, kind)] = step;
        Tell(
            kind == StepKind.Step ? EventTypes.WorkflowStepStarted : EventTypes.WorkflowRollbackStarted,
            new JsonObject { ["step"] = stepId });
        return step;
    }

    public void Complete(StepRun step, string? output)
    {
        step.Status = StepStatus.Completed;
        step.NewOutput = output;
        step.Error = null;
        End(step);
        Tell(
            step.Kind == StepKind.Step ? EventTypes.WorkflowStepCompleted : EventTypes.WorkflowRollbackCompleted,
            new JsonObject { ["step"] = step.StepId, ["attempt"] = step.Attempt });
        step.CompletedEvent = LastEvent;
    }

    public void Fail(StepRun step, StepError error)
    {
        step.Status = StepStatus.Failed;
        step.Error = error;
        End(step);
        Tell(
            step.Kind == StepKind.Step ? EventTypes.WorkflowStepFailed : EventTypes.WorkflowRollbackFailed,
            new JsonObject { ["step"] = step.StepId, ["attempt"] = step.Attempt, ["error"] = ErrorJson(error) });
    }

    /// <summary>Schedules the step's next attempt.</summary>
    public void Retry(StepRun step, StepError error, TimeSpan wait)
    {
        step.Status = StepStatus.Retrying;
        step.Error = error;
        step.DueAt = Now + wait;
        step.Changed = true;
        Tell(EventTypes.WorkflowStepRetrying, new JsonObject
        {
            ["step"] = step.StepId,
            ["attempt"] = step.Attempt,
            ["next_attempt_at"] = step.DueAt,
            ["error"] = ErrorJson(error),
        });
    }

    /// <summary>Postpones an attempt, without counting one.</summary>
    public void PutOff(StepRun step, string why, TimeSpan wait)
    {
        step.Attempt--;
        step.TaskId = null;
        Retry(step, new StepError("plan_limit", why, step.StepId), wait);
    }

    /// <summary>Cancels a running step: notifies its task, closes its gate.</summary>
    public void Cancel(StepRun step)
    {
        if (step.Status.HasEnded())
            return;
        step.Status = StepStatus.Cancelled;
        End(step);
        if (step.TaskId is { } task)
            TasksToCancel.Add(task);
        if (step.Kind == StepKind.Step && Gates.GetValueOrDefault(step.StepId) is { IsOpen: true } gate)
            gate.Cancel(Now);
        Tell(EventTypes.WorkflowStepCancelled, new JsonObject { ["step"] = step.StepId });
    }

    public static JsonObject ErrorJson(StepError error) =>
        new() { ["class"] = error.Class, ["message"] = error.Message, ["step"] = error.Step };

    private void End(StepRun step)
    {
        step.CompletedAt = Now;
        step.DueAt = null;
        step.Request = null;
        step.Result = null;
        step.Changed = true;
    }
}
