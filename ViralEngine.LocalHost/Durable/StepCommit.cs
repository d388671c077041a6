using Microsoft.DurableTask.Protobuf;

namespace ViralEngine.LocalHost.Durable;

/// <summary>A step that has been taken in memory, and all that its commit has to store.</summary>
internal sealed class StepCommit(LiveInstance instance, StepOutcome outcome, bool suspended)
{
    public LiveInstance Instance => instance;

    public StepOutcome Outcome => outcome;

    public string InstanceId { get; } = instance.Id;

    /// <summary>Where the instance stood; a row that stands elsewhere refuses the commit.</summary>
    public OrchestrationStart Before { get; } = instance.Start;

    public int SeqBefore { get; } = instance.Seq;

    public int ClaimNo { get; } = instance.ClaimNo;

    public OrchestrationStart After { get; } = outcome.Status == OrchestrationStatus.ContinuedAsNew
        ? instance.Start with
        {
            ExecutionId = Guid.CreateVersion7(),
            Input = outcome.NewInput,
            Version = outcome.NewVersion ?? instance.Start.Version,
        }
        : instance.Start;

    public int SeqAfter =>
        Restarted ? (outcome.Carried.Count > 0 ? 1 : 0) : SeqBefore + (outcome.Events.Count > 0 ? 1 : 0);

    public bool Restarted => outcome.Status == OrchestrationStatus.ContinuedAsNew;

    public bool Finished => outcome.IsFinished;

    public bool Suspended => suspended;

    public short StoredStatus => (short)(suspended && !Finished && !Restarted
        ? OrchestrationStatus.Suspended
        : Restarted ? OrchestrationStatus.Running
        : instance.IsPending && outcome.Events.Count == 0 ? OrchestrationStatus.Pending
        : outcome.Status);

    public string? CustomStatus { get; init; }

    public bool CustomStatusSet { get; init; }

    /// <summary>Span of the step, the parent of what it calls.</summary>
    public string? TraceParent { get; init; }

    /// <summary>When the instance has to take its next step by itself.</summary>
    public DateTime? DueAt { get; init; }

    /// <summary>Messages in the inbox that have been dealt with.</summary>
    public List<long> ConsumedMessages { get; init; } = [];

    /// <summary>Activities that answered in memory; their rows go with this commit.</summary>
    public List<(Guid ExecutionId, int TaskId)> ConsumedActivities { get; init; } = [];

    /// <summary>Answers of activities that have to wait in the inbox, because the instance is suspended.</summary>
    public List<StoredEvent> Returned { get; init; } = [];

    /// <summary>Whether the lease is kept: decided when the commit is written.</summary>
    public bool Keep { get; set; }

    public List<(ActivityWork Work, bool Local)> Activities { get; } = [];

    /// <summary>Activities of this process that wait for the commit.</summary>
    public IEnumerable<ActivityWork> WaitingActivities => Activities.Where(row => row.Local).Select(row => row.Work);

    public List<(OrchestrationAction.CallOrchestrator Call, bool Local)> Children { get; } = [];

    public ActivityWork Work(OrchestrationAction.CallActivity call) =>
        new(InstanceId, Before.ExecutionId, call.Id, call.Name, call.Input, TraceParent);

    /// <summary>The step's row in the history, or the events that a new execution takes over.</summary>
    public List<StoredEvent> HistoryRow => Restarted ? outcome.Carried : outcome.Events;

    /// <summary>Messages for other instances, and for itself.</summary>
    public IEnumerable<OutgoingMessage> Messages()
    {
        foreach (var returned in Returned) yield return new(this, InstanceId, After.ExecutionId, returned);
        foreach (var action in outcome.Actions.OfType<OrchestrationAction.SendEvent>())
        {
            var raised = new StoredEvent
            {
                Kind = EventKind.EventRaised,
                Name = action.Name,
                Data = action.Payload,
            };
            yield return new(this, action.InstanceId, null, raised);
        }

        foreach (var child in outcome.ToTerminate)
        {
            var order = new StoredEvent { Kind = EventKind.Terminate, Data = outcome.Output, Recursive = true };
            yield return new(this, child, null, order);
        }

        if (Finished && Before.Parent is { } parent) yield return new(
            this, parent.InstanceId, parent.ExecutionId, Answer(parent));
    }

    private StoredEvent Answer(ParentCall parent) => outcome.Status switch
    {
        OrchestrationStatus.Completed => new()
        {
            Kind = EventKind.SubOrchestrationCompleted,
            Id = parent.TaskId,
            Data = outcome.Output,
        },
        OrchestrationStatus.Failed => new()
        {
            Kind = EventKind.SubOrchestrationFailed,
            Id = parent.TaskId,
            Failure = outcome.Failure,
        },
        _ => new()
        {
            Kind = EventKind.SubOrchestrationFailed,
            Id = parent.TaskId,
            Failure = new("Terminated", $"The sub-orchestration '{InstanceId}' was terminated.", null, null),
        },
    };
}

/// <summary>A message that a step sends.</summary>
internal sealed record OutgoingMessage(StepCommit From, string InstanceId, Guid? ExecutionId, StoredEvent Event);
