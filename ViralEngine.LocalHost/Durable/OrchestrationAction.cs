namespace ViralEngine.LocalHost.Durable;

/// <summary>Something an orchestrator asked for.</summary>
internal abstract record OrchestrationAction(int Id)
{
    /// <summary>
    /// The action as history keeps it; inputs are not kept, since replay asks for the same ones again.
    /// </summary>
    public abstract StoredEvent ToEvent();

    public sealed record CallActivity(int Id, string Name, string? Input) : OrchestrationAction(Id)
    {
        public override StoredEvent ToEvent() => new() { Kind = EventKind.TaskScheduled, Id = Id, Name = Name };
    }

    public sealed record CreateTimer(int Id, DateTime FireAt) : OrchestrationAction(Id)
    {
        public override StoredEvent ToEvent() => new() { Kind = EventKind.TimerCreated, Id = Id, Time = FireAt };
    }

    public sealed record CallOrchestrator(int Id, string Name, string InstanceId, string? Version, string? Input)
        : OrchestrationAction(Id)
    {
        public Guid ExecutionId { get; } = Guid.CreateVersion7();

        public override StoredEvent ToEvent() =>
            new() { Kind = EventKind.SubOrchestrationCreated, Id = Id, Name = Name, InstanceId = InstanceId };
    }

    public sealed record SendEvent(int Id, string InstanceId, string Name, string? Payload) : OrchestrationAction(Id)
    {
        public override StoredEvent ToEvent() =>
            new() { Kind = EventKind.EventSent, Id = Id, Name = Name, InstanceId = InstanceId };
    }
}
