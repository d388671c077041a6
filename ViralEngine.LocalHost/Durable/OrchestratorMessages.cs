using Google.Protobuf.WellKnownTypes;
using Microsoft.DurableTask.Protobuf;
using Kinds = Microsoft.DurableTask.Protobuf.OrchestratorAction.OrchestratorActionTypeOneofCase;

namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// A step as the worker is asked for it and as it answers, in the messages of Durable Task's protocol.
/// </summary>
internal static class OrchestratorMessages
{
    /// <summary>The next step of an execution.</summary>
    /// <param name="start">What the execution began with.</param>
    /// <param name="history">What has been stored of it. Events before the first step's start were carried over to
    /// it.</param>
    /// <param name="step">What the step begins with: its start, then what has arrived.</param>
    public static OrchestratorRequest Request(
        OrchestrationStart start, IReadOnlyList<StoredEvent> history, IReadOnlyList<StoredEvent> step)
    {
        var request = new OrchestratorRequest
        {
            InstanceId = start.InstanceId,
            ExecutionId = start.ExecutionId.ToString("N"),
            EntityParameters = new() { EntityMessageReorderWindow = Duration.FromTimeSpan(TimeSpan.Zero) },
        };
        var carried = history.TakeWhile(item => item.Kind != EventKind.StepStarted).ToList();
        var clock = new Clock();
        if (carried.Count == history.Count)
        {
            request.NewEvents.AddRange(clock.Begin(start, step[0], carried));
            request.NewEvents.AddRange(step.Skip(1).Select(clock.Event));
        }
        else
        {
            request.PastEvents.AddRange(clock.Begin(start, history[carried.Count], carried));
            request.PastEvents.AddRange(history.Skip(carried.Count + 1).Select(clock.Event));
            request.NewEvents.AddRange(step.Select(clock.Event));
        }

        return request;
    }

    /// <summary>What the worker's answer makes of the step.</summary>
    /// <exception cref="NotSupportedException">It asks for what this host does not offer.</exception>
    public static StepOutcome Outcome(OrchestratorResponse response, IReadOnlyList<StoredEvent> step)
    {
        var actions = response.Actions
            .Where(action => action.OrchestratorActionTypeCase != Kinds.CompleteOrchestration)
            .Select(Action)
            .ToList();
        var outcome = new StepOutcome
        {
            Status = OrchestrationStatus.Running,
            Events = [.. step, .. actions.Select(action => action.ToEvent())],
            Actions = actions,
            CustomStatus = response.CustomStatus,
        };
        var end = response.Actions.FirstOrDefault(
            action => action.OrchestratorActionTypeCase == Kinds.CompleteOrchestration);
        if (end?.CompleteOrchestration is not { } completed) return outcome;
        if (completed.OrchestrationStatus == OrchestrationStatus.ContinuedAsNew)
        {
            return outcome with
            {
                Status = OrchestrationStatus.ContinuedAsNew,
                NewInput = completed.Result,
                NewVersion = completed.NewVersion is { Length: > 0 } version ? version : null,
                Carried = [.. completed.CarryoverEvents.Select(Carried)],
            };
        }

        return outcome with
        {
            Status = completed.OrchestrationStatus,
            Output = completed.Result,
            Failure = completed.OrchestrationStatus == OrchestrationStatus.Failed
                ? FailureRecord.From(completed.FailureDetails ?? new() { ErrorMessage = completed.Details ?? "" })
                : null,
        };
    }

    private static OrchestrationAction Action(OrchestratorAction action) => action.OrchestratorActionTypeCase switch
    {
        Kinds.ScheduleTask => new OrchestrationAction.CallActivity(
            action.Id, action.ScheduleTask.Name, ActivityInput(action.ScheduleTask.Input)),
        Kinds.CreateTimer => new OrchestrationAction.CreateTimer(action.Id, action.CreateTimer.FireAt.ToDateTime()),
        Kinds.CreateSubOrchestration => new OrchestrationAction.CallOrchestrator(
            action.Id,
            action.CreateSubOrchestration.Name,
            action.CreateSubOrchestration.InstanceId,
            action.CreateSubOrchestration.Version,
            action.CreateSubOrchestration.Input),
        Kinds.SendEvent => new OrchestrationAction.SendEvent(
            action.Id, action.SendEvent.Instance.InstanceId, action.SendEvent.Name, action.SendEvent.Data),
        _ => throw new NotSupportedException(
            $"The orchestrator uses '{action.OrchestratorActionTypeCase}', which the local host does not support. "
            + "Run the app under the Functions host instead."),
    };

    // The worker's orchestrator writes an activity's input as a JSON array of one element; the activity wants the
    // element.
    private static string? ActivityInput(string? input) =>
        input?.Trim() is ['[', .. var element, ']'] ? element : input;

    private static StoredEvent Carried(HistoryEvent carried) =>
        carried.EventTypeCase == HistoryEvent.EventTypeOneofCase.EventRaised
        ? new() { Kind = EventKind.EventRaised, Name = carried.EventRaised.Name, Data = carried.EventRaised.Input }
        : throw new NotSupportedException($"'{carried.EventTypeCase}' cannot be carried over to a new execution.");

    /// <summary>Turns stored events into those of the protocol, each with the time of its step.</summary>
    private sealed class Clock
    {
        private Timestamp now = new();

        public IEnumerable<HistoryEvent> Begin(
            OrchestrationStart start, StoredEvent first, List<StoredEvent> carried) =>
            [Event(first), Started(start), .. carried.Select(Event)];

        public HistoryEvent Event(StoredEvent stored)
        {
            if (stored.Kind == EventKind.StepStarted)
                now = Timestamp.FromDateTime(DateTime.SpecifyKind(stored.Time!.Value, DateTimeKind.Utc));
            var converted = Convert(stored);
            converted.Timestamp = now;
            return converted;
        }

        private HistoryEvent Started(OrchestrationStart start) => new()
        {
            EventId = -1,
            Timestamp = now,
            ExecutionStarted = new()
            {
                Name = start.Name,
                Version = start.Version ?? "",
                Input = start.Input,
                OrchestrationInstance = Instance(start.InstanceId, start.ExecutionId),
                ParentInstance = start.Parent is not { } parent ? null : new()
                {
                    Name = parent.Name,
                    Version = "",
                    TaskScheduledId = parent.TaskId,
                    OrchestrationInstance = Instance(parent.InstanceId, parent.ExecutionId),
                },
            },
        };

        private static OrchestrationInstance Instance(string id, Guid execution) =>
            new() { InstanceId = id, ExecutionId = execution.ToString("N") };

        private static HistoryEvent Convert(StoredEvent stored) => stored.Kind switch
        {
            EventKind.StepStarted => new() { EventId = -1, OrchestratorStarted = new() },
            EventKind.TaskScheduled =>
                new() { EventId = stored.Id, TaskScheduled = new() { Name = stored.Name, Version = "" } },
            EventKind.TaskCompleted => new()
            {
                EventId = -1,
                TaskCompleted = new() { TaskScheduledId = stored.Id, Result = stored.Data },
            },
            EventKind.TaskFailed => new()
            {
                EventId = -1,
                TaskFailed = new() { TaskScheduledId = stored.Id, FailureDetails = stored.Failure!.ToDetails() },
            },
            EventKind.TimerCreated => new() { EventId = stored.Id, TimerCreated = new() { FireAt = Time(stored) } },
            EventKind.TimerFired => new()
            {
                EventId = -1,
                TimerFired = new() { TimerId = stored.Id, FireAt = Time(stored) },
            },
            EventKind.SubOrchestrationCreated => new()
            {
                EventId = stored.Id,
                SubOrchestrationInstanceCreated =
                    new() { InstanceId = stored.InstanceId, Name = stored.Name, Version = "" },
            },
            EventKind.SubOrchestrationCompleted => new()
            {
                EventId = -1,
                SubOrchestrationInstanceCompleted = new() { TaskScheduledId = stored.Id, Result = stored.Data },
            },
            EventKind.SubOrchestrationFailed => new()
            {
                EventId = -1,
                SubOrchestrationInstanceFailed = new()
                {
                    TaskScheduledId = stored.Id,
                    FailureDetails = stored.Failure!.ToDetails(),
                },
            },
            EventKind.EventSent => new()
            {
                EventId = stored.Id,
                EventSent = new() { InstanceId = stored.InstanceId, Name = stored.Name },
            },
            EventKind.EventRaised => new()
            {
                EventId = -1,
                EventRaised = new() { Name = stored.Name, Input = stored.Data },
            },
            EventKind.Suspend or EventKind.Resume or EventKind.Terminate => throw new InvalidOperationException(
                $"'{stored.Kind}' is internal to the engine and never part of a step."),
            _ => throw new InvalidOperationException(
                $"The history has an event of the unknown kind {(int)stored.Kind}."),
        };

        private static Timestamp Time(StoredEvent stored) =>
            Timestamp.FromDateTime(DateTime.SpecifyKind(stored.Time ?? DateTime.UnixEpoch, DateTimeKind.Utc));
    }
}
