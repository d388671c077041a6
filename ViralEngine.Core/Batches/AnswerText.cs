using System.Text;
using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Batches;

/// <summary>Collects an item's answer. Nobody follows single items, so there is nothing to pass on meanwhile.</summary>
internal sealed class AnswerText : IAnswerSink
{
    private const int MostKept = 64 * 1024;
    private StringBuilder text = new();

    public int Length => text.Length;

    public void Add(string chunk) => text.Append(chunk);

    public void Reset()
    {
        if (text.Capacity > MostKept)
            text = new StringBuilder();
        else
            text.Clear();
    }

    public void Flush()
    {
    }

    public Task ReportAsync(double fraction, string? message, CancellationToken ct) => Task.CompletedTask;

    public override string ToString() => text.ToString();
}
