namespace ViralEngine.LocalRuntime.Durable;

/// <summary>
/// The one thread of an orchestrator: runs what its own tasks post, and notices anything that comes back from
/// elsewhere, because an orchestrator that awaits other tasks cannot be replayed.
/// </summary>
internal sealed class OrchestrationThread : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> posted = new();
    private Thread? owner;
    private volatile bool intruded;

    /// <summary>Whether something that is not the orchestration's has tried to continue it.</summary>
    public bool Intruded => intruded;

    /// <summary>Called, on the foreign thread, when that happens.</summary>
    public Action? OnIntrusion { get; set; }

    /// <summary>Whether this is the orchestration's thread; when not, it counts as an intrusion.</summary>
    public bool IsOwn()
    {
        if (owner == Thread.CurrentThread) return true;
        Intrude();
        return false;
    }

    /// <summary>Runs <paramref name="work"/> and all that follows from it until nothing is left to run.</summary>
    public void Run(Action work)
    {
        var outer = Current;
        owner = Thread.CurrentThread;
        SetSynchronizationContext(this);
        try
        {
            work();
            while (posted.TryDequeue(out var next)) next.Callback(next.State);
        }
        finally
        {
            owner = null;
            SetSynchronizationContext(outer);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (IsOwn()) posted.Enqueue((d, state));
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (IsOwn()) d(state);
    }

    public override SynchronizationContext CreateCopy() => this;

    private void Intrude()
    {
        if (intruded) return;
        intruded = true;
        OnIntrusion?.Invoke();
    }
}
