using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Batches;

/// <summary>Collects an item's answer. Items have no streams, so nothing is passed on meanwhile.</summary>
internal sealed class ItemAnswer(AnswerMemory memory) : IAnswerSink, IDisposable
{
    private AnswerText text = new(memory);

    public int Length => text.Length;

    /// <summary>The usage of all calls of the current item.</summary>
    public AgentUsage? Used { get; private set; }

    public void Add(string chunk) => text.Append(chunk);

    public void Use(AgentUsage usage) => Used = AgentUsage.Sum(Used, usage);

    /// <summary>Starts another item.</summary>
    public void Begin()
    {
        Reset();
        Used = null;
    }

    public void Reset() => text.Clear();

    public void Flush()
    {
    }

    public Task ReportAsync(double fraction, string? message, CancellationToken ct) => Task.CompletedTask;

    /// <summary>The answer; a long one stays where it was collected until it is stored.</summary>
    public ItemResult Take()
    {
        if (text.Length < AnswerMemory.Long)
            return new ItemResult(text.ToString(), null);
        var taken = text;
        text = new AnswerText(memory);
        return new ItemResult(null, taken);
    }

    public void Dispose() => text.Dispose();
}

/// <summary>An item's answer waiting to be stored. Exactly one of the two is set.</summary>
internal readonly record struct ItemResult(string? Short, AnswerText? Long)
{
    public int Length => Long?.Length ?? Short!.Length;

    public override string ToString() => Long?.ToString() ?? Short!;
}
