using Microsoft.DurableTask.Protobuf;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Takes the steps of instances that are ready, one after another.</summary>
internal sealed class StepRunner(EngineSession session, EngineServices services)
{
    /// <summary>
    /// Runs until cancelled. Its steps wait for the worker side by side; the session bounds how many there are.
    /// </summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await foreach (var instance in session.Ready.Reader.ReadAllAsync(ct)) _ = TakeAsync(instance, ct);
    }

    private async Task TakeAsync(LiveInstance instance, CancellationToken ct)
    {
        List<Arrival> arrived;
        lock (instance.Gate) arrived = instance.TakeArrived();
        var sorted = Sort(instance, arrived);
        var start = instance.Start;
        using var span = DurableTracing.Start("orchestration", start.Name, start.InstanceId, start.TraceParent);
        StepOutcome outcome;
        try
        {
            outcome = await StepAsync(instance, sorted, ct);
        }
        catch (OperationCanceledException)
        {
            // The worker is gone or the engine is stopping: the next lease holder takes the step.
            return;
        }

        if (outcome.Failure is { } failure)
            EngineLog.Failed(session.Logger, start.Name, start.InstanceId, $"{failure.Type}: {failure.Message}");
        var open = new OpenCalls([.. instance.History ?? [], .. outcome.Events]);
        session.Taken.Writer.TryWrite(new(instance, outcome, sorted.Suspended)
        {
            CustomStatus = outcome.CustomStatus,
            CustomStatusSet = outcome.Events.Count > 0,
            TraceParent = span?.Id ?? start.TraceParent,
            DueAt = sorted.Suspended || outcome.Status != OrchestrationStatus.Running ? null : open.NextTimer,
            ConsumedMessages = sorted.Messages,
            ConsumedActivities = sorted.Activities,
            Returned = sorted.Returned,
        });
    }

    private async Task<StepOutcome> StepAsync(LiveInstance instance, Sorted sorted, CancellationToken ct)
    {
        var history = instance.History ?? [];
        var now = services.Clock.UtcNow;
        var last = history.LastOrDefault(item => item.Kind == EventKind.StepStarted)?.Time;
        var began = new StoredEvent { Kind = EventKind.StepStarted, Time = now > last || last is null ? now : last };
        var open = new OpenCalls(history);
        List<StoredEvent> due = sorted.Suspended ? [] : [.. open.Due(now)];
        if (sorted.Suspended || (last is not null && sorted.Events.Count + due.Count == 0))
            return new() { Status = OrchestrationStatus.Running, Events = [] };
        if (sorted.Events.Find(item => item.Kind == EventKind.Terminate) is { } order) return Terminated(
            began, order, open);
        List<StoredEvent> step = [began, .. sorted.Events, .. due];
        var name = instance.Start.Name;
        if (!services.Code.HasOrchestrator(name))
        {
            return Failed(step, new InvalidOperationException(
                $"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function."));
        }

        try
        {
            var request = OrchestratorMessages.Request(instance.Start, history, step);
            return OrchestratorMessages.Outcome(await services.Code.RunOrchestratorAsync(name, request, ct), step);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // The edge of user code: any error ends only this instance.
            return Failed(step, exception);
        }
    }

    private static StepOutcome Terminated(StoredEvent began, StoredEvent order, OpenCalls open) => new()
    {
        Status = OrchestrationStatus.Terminated,
        Events = [began, order],
        Output = order.Data,
        ToTerminate = order.Recursive ? [.. open.Children] : [],
    };

    private static StepOutcome Failed(List<StoredEvent> step, Exception exception) => new()
    {
        Status = OrchestrationStatus.Failed,
        Events = step,
        Failure = FailureRecord.From(exception),
    };

    /// <summary>
    /// Divides what has arrived into what the step handles and what waits while the instance is suspended: messages
    /// stay in the inbox, and answers that came in memory go there.
    /// </summary>
    private static Sorted Sort(LiveInstance instance, List<Arrival> arrived)
    {
        var sorted = new Sorted { Suspended = instance.IsSuspended };
        var held = new List<Arrival>();
        foreach (var arrival in arrived)
        {
            var outdated = arrival.ExecutionId is { } execution && execution != instance.Start.ExecutionId;
            switch (arrival.Event.Kind)
            {
                case EventKind.Suspend:
                    sorted.Suspended = true;
                    sorted.Consume(arrival);
                    break;
                case EventKind.Resume:
                    sorted.Suspended = false;
                    sorted.Consume(arrival);
                    foreach (var item in held) sorted.Handle(item);
                    held.Clear();
                    break;
                case EventKind.Terminate:
                    sorted.Suspended = false;
                    sorted.Handle(arrival);
                    break;
                case var _ when outdated:
                    sorted.Consume(arrival);
                    break;
                case var _ when sorted.Suspended:
                    held.Add(arrival);
                    break;
                default:
                    sorted.Handle(arrival);
                    break;
            }
        }

        foreach (var arrival in held.Where(arrival => arrival.MessageId is null))
        {
            sorted.Consume(arrival);
            sorted.Returned.Add(arrival.Event);
        }

        return sorted;
    }

    private sealed class Sorted
    {
        public bool Suspended { get; set; }

        public List<StoredEvent> Events { get; } = [];

        public List<long> Messages { get; } = [];

        public List<(Guid ExecutionId, int TaskId)> Activities { get; } = [];

        public List<StoredEvent> Returned { get; } = [];

        public void Handle(Arrival arrival)
        {
            Events.Add(arrival.Event);
            Consume(arrival);
        }

        public void Consume(Arrival arrival)
        {
            if (arrival.MessageId is { } message)
                Messages.Add(message);
            else
                Activities.Add((arrival.ExecutionId!.Value, arrival.Event.Id));
        }
    }
}
