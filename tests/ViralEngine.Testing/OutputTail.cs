namespace ViralEngine.Testing;

/// <summary>The last lines of an output, in bounded memory.</summary>
internal sealed class OutputTail
{
    private const int MaxLines = 2_000;
    private const int LongestLine = 2_000;

    private readonly Queue<string> lines = new();

    public void Add(string? line)
    {
        if (line is null)
            return;
        lock (lines)
        {
            lines.Enqueue(line.Length > LongestLine ? line[..LongestLine] + "…" : line);
            if (lines.Count > MaxLines)
                lines.Dequeue();
        }
    }

    public override string ToString()
    {
        lock (lines)
            return string.Join('\n', lines);
    }
}
