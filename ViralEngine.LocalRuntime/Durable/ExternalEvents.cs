namespace ViralEngine.LocalRuntime.Durable;

/// <summary>
/// Matches events with those who wait for them, first come, first served. Names ignore case. An event nobody waits
/// for is kept.
/// </summary>
internal sealed class ExternalEvents
{
    private readonly Dictionary<string, Queue<(int Order, HistoryEvent Event)>> kept =
        new(StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, LinkedList<PendingCall>> waiting = new(StringComparer.OrdinalIgnoreCase);
    private int order;

    public int WaitingCount { get; private set; }

    /// <summary>Events nobody took, in the order they came.</summary>
    public List<HistoryEvent> Kept =>
        [.. kept.Values.SelectMany(queue => queue).OrderBy(item => item.Order).Select(item => item.Event)];

    public void Deliver(HistoryEvent raised)
    {
        if (waiting.TryGetValue(raised.Name!, out var waiters) && waiters.First is { } first)
        {
            waiters.RemoveFirst();
            WaitingCount--;
            first.Value.Complete(raised.Data);
            return;
        }

        if (!kept.TryGetValue(raised.Name!, out var queue)) kept[raised.Name!] = queue = new();
        queue.Enqueue((order++, raised));
    }

    public bool TryTake(string name, out HistoryEvent? raised)
    {
        raised = null;
        if (!kept.TryGetValue(name, out var queue)) return false;
        raised = queue.Dequeue().Event;
        if (queue.Count == 0) kept.Remove(name);
        return true;
    }

    public void Wait(PendingCall call)
    {
        if (!waiting.TryGetValue(call.Name, out var waiters)) waiting[call.Name] = waiters = new();
        waiters.AddLast(call);
        WaitingCount++;
    }

    public void Withdraw(PendingCall call)
    {
        if (waiting.TryGetValue(call.Name, out var waiters) && waiters.Remove(call)) WaitingCount--;
    }
}
