using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalRuntime.Durable;

/// <summary>
/// One execution of an orchestrator: replays its history, then takes steps. It may stay in memory between steps; whether
/// it does or is replayed from history makes no difference to what it does.
/// </summary>
internal sealed class OrchestrationExecution
{
    private readonly OrchestrationStart start;
    private readonly IDurableCode code;
    private readonly DataConverter converter;
    private readonly OrchestrationContext context;
    private readonly OrchestrationThread thread = new();
    private readonly SortedDictionary<int, OrchestrationAction> wishes = [];
    private readonly Dictionary<int, PendingCall> open = [];
    private readonly Dictionary<int, DateTime> timers = [];
    private readonly ExternalEvents events = new();
    private Task<object?>? main;
    private DateTime time;
    private int nextId;
    private Continuation? continuation;
    private NonDeterministicException? fault;

    public OrchestrationExecution(
        OrchestrationStart start,
        IDurableCode code,
        DataConverter converter,
        ILoggerFactory loggers)
    {
        this.start = start;
        this.code = code;
        this.converter = converter;
        context = new(start, this, converter, loggers);
    }

    /// <summary>Whether the code has asked for the time: what it does may depend on that.</summary>
    public bool TimeAsked { get; private set; }

    public bool IsReplaying { get; private set; }

    public bool IsStarted => main is not null;

    public string? CustomStatus { get; private set; }

    /// <summary>Whether <see cref="CustomStatus"/> has been set since the execution was created or replayed.</summary>
    public bool CustomStatusSet { get; private set; }

    /// <summary>When the first of the open timers is due; null when there is none.</summary>
    public DateTime? NextTimer => timers.Count == 0 ? null : timers.Values.Min();

    /// <summary>Does again what the history says was done.</summary>
    /// <param name="steps">The steps of this execution from the first, as they were stored.</param>
    public void Replay(IEnumerable<List<HistoryEvent>> steps)
    {
        IsReplaying = true;
        try
        {
            foreach (var step in steps)
            {
                foreach (var past in step)
                {
                    Apply(past);
                    if (fault is not null) return;
                }

                if (wishes.Count > 0) throw Extra(wishes.Values.First());
            }

            if (main is { IsCompleted: true }) throw new NonDeterministicException(
                $"Non-deterministic orchestration '{start.Name}': the code ended where its history goes on.");
        }
        catch (NonDeterministicException exception)
        {
            fault = exception;
        }
        finally
        {
            IsReplaying = false;
            CustomStatusSet = false;
        }
    }

    /// <summary>Runs the code over what has arrived, until it waits again or has ended.</summary>
    public StepOutcome Step(DateTime now, IEnumerable<HistoryEvent> arrived)
    {
        if (fault is not null) return Failed([], Details(fault));
        var step = new List<HistoryEvent>();
        var begin = now > time ? now : time;
        var began = new HistoryEvent { Kind = EventKind.StepStarted, Time = begin };
        var due = timers.Where(timer => timer.Value <= now).OrderBy(timer => timer.Value).ThenBy(timer => timer.Key);
        List<HistoryEvent> all =
        [
            .. arrived,
            .. due.Select(timer => new HistoryEvent { Kind = EventKind.TimerFired, Id = timer.Key }),
        ];
        if (all.Count == 0 && IsStarted && !thread.Intruded)
            return new() { Status = OrchestrationRuntimeStatus.Running, Events = step };

        if (all.Find(item => item.Kind == EventKind.Terminate) is { } order) return Terminated(began, order);
        step.Add(began);
        Apply(began);
        foreach (var item in all)
        {
            step.Add(item);
            Apply(item);
        }

        return Outcome(step);
    }

    /// <summary>When the current step began.</summary>
    public DateTime AskTime()
    {
        TimeAsked = true;
        return time;
    }

    public Task<T> CallActivity<T>(string name, string? input) =>
        Open(new PendingCall<T>(EventKind.TaskScheduled, nextId, name, converter), id =>
            new OrchestrationAction.CallActivity(id, name, input));

    public Task<T> CallOrchestrator<T>(string name, string instanceId, string? version, string? input)
    {
        var call = new PendingCall<T>(EventKind.SubOrchestrationCreated, nextId, name, converter)
        {
            InstanceId = instanceId,
        };
        return Open(call, id => new OrchestrationAction.CallOrchestrator(id, name, instanceId, version, input));
    }

    public Task CreateTimer(DateTime fireAt, CancellationToken ct)
    {
        if (ct.IsCancellationRequested) return Task.FromCanceled(ct);
        var call = new PendingCall<object>(EventKind.TimerCreated, nextId, "timer", converter);
        var task = Open(call, id => new OrchestrationAction.CreateTimer(id, fireAt));
        timers[call.Id] = fireAt;
        if (ct.CanBeCanceled)
        {
            call.Cancellation = ct.Register(() =>
            {
                if (!thread.IsOwn()) return;
                timers.Remove(call.Id);
                if (open.Remove(call.Id)) call.Cancel(ct);
            });
        }

        return task;
    }

    public Task<T> WaitForEvent<T>(string name, CancellationToken ct)
    {
        RefuseForeignThread();
        if (ct.IsCancellationRequested) return Task.FromCanceled<T>(ct);
        var call = new PendingCall<T>(EventKind.EventRaised, -1, name, converter);
        if (events.TryTake(name, out var kept))
        {
            call.Complete(kept!.Data);
            return call.Task;
        }

        events.Wait(call);
        if (ct.CanBeCanceled)
        {
            call.Cancellation = ct.Register(() =>
            {
                if (!thread.IsOwn()) return;
                events.Withdraw(call);
                call.Cancel(ct);
            });
        }

        return call.Task;
    }

    public void SendEvent(string instanceId, string name, string? payload) =>
        Wish(id => new OrchestrationAction.SendEvent(id, instanceId, name, payload));

    public void SetCustomStatus(string? json)
    {
        RefuseForeignThread();
        CustomStatus = json;
        CustomStatusSet = true;
    }

    public void ContinueAsNew(string? input, bool keepEvents, string? version)
    {
        RefuseForeignThread();
        continuation = new(input, keepEvents, version);
    }

    /// <summary>Has <paramref name="alarm"/> called when a thread that is not the orchestration's meddles.</summary>
    public void OnIntrusion(Action alarm) => thread.OnIntrusion = alarm;

    /// <summary>Forgets that the custom status was set, once it has been stored.</summary>
    public void CustomStatusStored() => CustomStatusSet = false;

    private Task<T> Open<T>(PendingCall<T> call, Func<int, OrchestrationAction> wish)
    {
        Wish(wish);
        open[call.Id] = call;
        return call.Task;
    }

    private void Wish(Func<int, OrchestrationAction> wish)
    {
        RefuseForeignThread();
        var id = nextId++;
        wishes[id] = wish(id);
    }

    private void Apply(HistoryEvent item)
    {
        switch (item.Kind)
        {
            case EventKind.StepStarted:
                time = item.Time!.Value;
                if (main is null) thread.Run(Start);
                break;
            case EventKind.EventRaised:
                thread.Run(() => events.Deliver(item));
                break;
            case EventKind.TaskCompleted or EventKind.TaskFailed:
                Answer(item, EventKind.TaskScheduled);
                break;
            case EventKind.SubOrchestrationCompleted or EventKind.SubOrchestrationFailed:
                Answer(item, EventKind.SubOrchestrationCreated);
                break;
            case EventKind.TimerFired:
                timers.Remove(item.Id);
                Answer(item, EventKind.TimerCreated);
                break;
            case EventKind.TaskScheduled or EventKind.TimerCreated or EventKind.SubOrchestrationCreated
                or EventKind.EventSent:
                Match(item);
                break;
        }
    }

    private void Start() => main = RunAsync();

    private async Task<object?> RunAsync()
    {
        if (!code.HasOrchestrator(start.Name))
            throw new InvalidOperationException($"No orchestrator function named '{start.Name}' was found in this app.");
        return await code.RunOrchestratorAsync(context);
    }

    private void Answer(HistoryEvent answer, EventKind asked)
    {
        // An answer to what is no longer awaited, a timer cancelled meanwhile for one, says nothing.
        if (!open.TryGetValue(answer.Id, out var call) || call.Kind != asked) return;
        open.Remove(answer.Id);
        if (answer.Failure is { } failure)
            thread.Run(() => call.Fail(failure.ToDetails()));
        else
            thread.Run(() => call.Complete(answer.Data));
    }

    private void Match(HistoryEvent past)
    {
        if (!wishes.Remove(past.Id, out var wish)) throw new NonDeterministicException(
            $"Non-deterministic orchestration '{start.Name}': its history holds {Describe(past)} as number {past.Id}, "
            + "which the code did not ask for again. Was the code changed while the instance was running?");
        var now = wish.ToEvent();
        if (now.Kind != past.Kind || !string.Equals(now.Name, past.Name, StringComparison.OrdinalIgnoreCase))
        {
            throw new NonDeterministicException(
                $"Non-deterministic orchestration '{start.Name}': its history holds {Describe(past)} as number "
                + $"{past.Id}, the code now asks for {Describe(now)}. Was the code changed while the instance was running?");
        }

        if (past.Kind == EventKind.TimerCreated && timers.ContainsKey(past.Id)) timers[past.Id] = past.Time!.Value;
    }

    private NonDeterministicException Extra(OrchestrationAction wish) => new(
        $"Non-deterministic orchestration '{start.Name}': the code now asks for {Describe(wish.ToEvent())} as number "
        + $"{wish.Id}, which its history does not hold. Was the code changed while the instance was running?");

    private static string Describe(HistoryEvent item) =>
        item.Name is null ? item.Kind.ToString() : $"{item.Kind} '{item.Name}'";

    private StepOutcome Outcome(List<HistoryEvent> step)
    {
        if (thread.Intruded || main is { IsCompleted: false } && open.Count == 0 && events.WaitingCount == 0)
        {
            return Failed(step, Details(new InvalidOperationException(
                $"Orchestrator '{start.Name}' awaits a task that is not durable. An orchestrator may only await tasks "
                + "that its TaskOrchestrationContext gave it, and must not use ConfigureAwait(false), Task.Run or "
                + "Task.Delay.")));
        }

        var actions = wishes.Values.ToList();
        wishes.Clear();
        step.AddRange(actions.Select(action => action.ToEvent()));
        if (main is not { IsCompleted: true })
            return new() { Status = OrchestrationRuntimeStatus.Running, Events = step, Actions = actions };
        if (!main.IsCompletedSuccessfully)
        {
            var exception = main.Exception?.InnerException ?? new TaskCanceledException(main);
            return Failed(step, Details(exception)) with { Actions = actions };
        }

        if (continuation is { } next)
        {
            return new()
            {
                Status = OrchestrationRuntimeStatus.ContinuedAsNew,
                Events = step,
                Actions = actions,
                NewInput = next.Input,
                NewVersion = next.Version,
                Carried = next.KeepEvents ? events.Kept : [],
            };
        }

        try
        {
            var output = converter.Serialize(main.Result);
            return new()
            {
                Status = OrchestrationRuntimeStatus.Completed,
                Events = step,
                Actions = actions,
                Output = output,
            };
        }
        catch (NotSupportedException exception)
        {
            return Failed(step, Details(exception)) with { Actions = actions };
        }
    }

    private StepOutcome Terminated(HistoryEvent began, HistoryEvent order) => new()
    {
        Status = OrchestrationRuntimeStatus.Terminated,
        Events = [began, order],
        Output = order.Data,
        ToTerminate = order.Recursive ? [.. open.Values.Select(call => call.InstanceId).OfType<string>()] : [],
    };

    private static StepOutcome Failed(List<HistoryEvent> step, TaskFailureDetails failure) =>
        new() { Status = OrchestrationRuntimeStatus.Failed, Events = step, Failure = failure };

    private static TaskFailureDetails Details(Exception exception) => exception is NonDeterministicException
        ? new(NonDeterministicException.RealName, exception.Message, null, null, null)
        : TaskFailureDetails.FromException(exception);

    private void RefuseForeignThread()
    {
        if (thread.IsOwn()) return;
        throw new InvalidOperationException(
            "A TaskOrchestrationContext may only be used by the orchestrator's own code, which must not await "
            + "anything but the context's tasks.");
    }

    private sealed record Continuation(string? Input, bool KeepEvents, string? Version);
}
