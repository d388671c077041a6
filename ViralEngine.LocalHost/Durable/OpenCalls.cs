namespace ViralEngine.LocalHost.Durable;

/// <summary>What an execution has asked for that has not been answered yet, by its history.</summary>
internal sealed class OpenCalls
{
    private readonly Dictionary<int, DateTime> timers = [];
    private readonly Dictionary<int, string> children = [];

    public OpenCalls(IEnumerable<StoredEvent> history)
    {
        foreach (var item in history) Add(item);
    }

    /// <summary>When the first of the open timers is due; null when there is none.</summary>
    public DateTime? NextTimer => timers.Count == 0 ? null : timers.Values.Min();

    /// <summary>Sub-orchestrations that have not ended.</summary>
    public IReadOnlyCollection<string> Children => children.Values;

    public void Add(StoredEvent item)
    {
        switch (item.Kind)
        {
            case EventKind.TimerCreated:
                timers[item.Id] = item.Time!.Value;
                break;
            case EventKind.TimerFired:
                timers.Remove(item.Id);
                break;
            case EventKind.SubOrchestrationCreated:
                children[item.Id] = item.InstanceId!;
                break;
            case EventKind.SubOrchestrationCompleted or EventKind.SubOrchestrationFailed:
                children.Remove(item.Id);
                break;
        }
    }

    /// <summary>The timers that are due, in the order in which they fire.</summary>
    public IEnumerable<StoredEvent> Due(DateTime now) => timers
        .Where(timer => timer.Value <= now)
        .OrderBy(timer => timer.Value)
        .ThenBy(timer => timer.Key)
        .Select(timer => new StoredEvent { Kind = EventKind.TimerFired, Id = timer.Key, Time = timer.Value });
}
