using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalRuntime.Durable;

/// <summary>Takes the steps of instances that are ready, one after another.</summary>
internal sealed class StepRunner(EngineSession session, EngineServices services)
{
    public async Task RunAsync(CancellationToken ct)
    {
        await foreach (var instance in session.Ready.Reader.ReadAllAsync(ct))
        {
            var step = Take(instance);
            if (!session.TryRunAhead(step)) session.Taken.Writer.TryWrite(step);
        }
    }

    private StepCommit Take(LiveInstance instance)
    {
        List<Arrival> arrived;
        lock (instance.Gate) arrived = instance.TakeArrived();
        var sorted = Sort(instance, arrived);
        var start = instance.Start;
        using var span = DurableTracing.Start("orchestration", start.Name, start.InstanceId, start.TraceParent);
        var execution = instance.Execution ??= Revive(instance);
        var outcome = sorted.Suspended
            ? new() { Status = OrchestrationRuntimeStatus.Running, Events = [] }
            : execution.Step(services.Clock.GetUtcNow().UtcDateTime, sorted.Events);
        if (instance.Uncommitted is { } first)
        {
            // The activity between the two was never stored.
            outcome = first.Then(outcome);
            sorted.Activities.Clear();
            instance.Uncommitted = null;
        }

        if (outcome.Failure is { } failure)
            EngineLog.Failed(session.Logger, start.Name, start.InstanceId, failure.ToString());
        return new(instance, outcome, sorted.Suspended)
        {
            CustomStatus = execution.CustomStatus,
            CustomStatusSet = execution.CustomStatusSet,
            TraceParent = span?.Id ?? start.TraceParent,
            DueAt = sorted.Suspended || outcome.IsFinished ? null : execution.NextTimer,
            ConsumedMessages = sorted.Messages,
            ConsumedActivities = sorted.Activities,
            Returned = sorted.Returned,
            DependsOnInputAlone = arrived.Count == 0 && !execution.TimeAsked,
        };
    }

    private OrchestrationExecution Revive(LiveInstance instance)
    {
        var execution = new OrchestrationExecution(
            instance.Start,
            services.Code,
            services.Converter,
            services.Loggers);
        if (instance.History is { Count: > 0 } history) execution.Replay(history);
        instance.History = null;
        var id = instance.Id;
        execution.OnIntrusion(() => _ = services.Messages.SendAsync(id, null));
        return execution;
    }

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

        public List<HistoryEvent> Events { get; } = [];

        public List<long> Messages { get; } = [];

        public List<(Guid ExecutionId, int TaskId)> Activities { get; } = [];

        public List<HistoryEvent> Returned { get; } = [];

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
