using System.Text;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>Collects a template's output, up to a limit.</summary>
internal sealed class BoundedWriter(int most) : TextWriter
{
    private readonly StringBuilder text = new();

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        Check(1);
        text.Append(value);
    }

    public override void Write(char[] buffer, int index, int count)
    {
        Check(count);
        text.Append(buffer, index, count);
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        Check(buffer.Length);
        text.Append(buffer);
    }

    public override void Write(string? value)
    {
        Check(value?.Length ?? 0);
        text.Append(value);
    }

    public override Task WriteAsync(char value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(char[] buffer, int index, int count)
    {
        Write(buffer, index, count);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return Task.CompletedTask;
    }

    public override string ToString() => text.ToString();

    private void Check(int more)
    {
        if (text.Length + more > most)
            throw new LiquidException($"The template's output has more than {most:N0} characters.");
    }
}
