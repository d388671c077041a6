using System.Collections.Concurrent;

namespace ViralEngine.Torture.Load;

/// <summary>Everything that was asked, answered and seen from outside: the history that is checked.</summary>
internal sealed class Recorder
{
    private readonly ConcurrentQueue<(Request Request, Answer Answer)> acknowledged = new();
    private readonly ConcurrentQueue<Replay> replays = new();
    private readonly ConcurrentQueue<string> strange = new();
    private long asked;
    private long repeated;

    public ConcurrentQueue<SentTask> Tasks { get; } = new();

    public ConcurrentQueue<SentBatch> Batches { get; } = new();

    public ConcurrentQueue<SentWorkflow> Workflows { get; } = new();

    public ConcurrentQueue<ReadStream> Streams { get; } = new();

    public IReadOnlyList<(Request Request, Answer Answer)> Acknowledged => [.. acknowledged];

    public IReadOnlyList<Replay> Replays => [.. replays];

    /// <summary>Answers that no outage explains.</summary>
    public IReadOnlyList<string> Strange => [.. strange];

    /// <summary>How many requests were sent, and how many of them again.</summary>
    public (long Asked, long Repeated) Sent => (asked, repeated);

    public void Asked() => Interlocked.Increment(ref asked);

    public void AskedAgain() => Interlocked.Increment(ref repeated);

    public void Acknowledge(Request request, Answer answer) => acknowledged.Enqueue((request, answer));

    public void Replayed(Request request, Answer first, Answer again) =>
        replays.Enqueue(new Replay(request, first, again));

    public void Wonder(string what) => strange.Enqueue(what);
}

internal sealed record Replay(Request Request, Answer First, Answer Again);

/// <param name="Marker">The first word of its description, which no other has.</param>
/// <param name="Id">Null: nobody said that it was accepted.</param>
internal sealed record SentTask(Tenant Tenant, string Marker, string Agent, string Description, Guid? Id)
{
    /// <summary>Its cancellation was accepted.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>How often it was run again after it had failed.</summary>
    public int Retries { get; set; }
}

internal sealed record SentBatch(Tenant Tenant, string Marker, IReadOnlyList<string> Items, Guid? Id);

internal sealed record SentWorkflow(Tenant Tenant, string Marker, Guid? Id)
{
    /// <summary>Decisions that were accepted: the run, who and what.</summary>
    public ConcurrentQueue<(int Run, int Approver, string Decision)> Decisions { get; } = new();

    public int Retries { get; set; }
}

/// <summary>What a reader got of a stream, over all its connections.</summary>
/// <param name="Kind"><c>stream</c> or <c>stream-response</c>.</param>
internal sealed record ReadStream(Tenant Tenant, Guid Task, string Kind)
{
    public List<(int Id, string Type, string Data)> Events { get; } = [];

    public int Connections { get; set; }

    /// <summary>It was read to its end.</summary>
    public bool IsWhole { get; set; }
}
