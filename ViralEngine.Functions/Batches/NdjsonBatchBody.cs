using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Batches;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>One item per line; empty lines are skipped, but counted. The settings are in the query.</summary>
internal sealed class NdjsonBatchBody(PipeReader pipe, long mostBytes, IQueryCollection query)
    : BatchBody(pipe, mostBytes)
{
    private readonly BatchSettings settings = RequestBinder.BindQuery<BatchSettings>(query);
    private int lines;
    private bool any;

    public override string NameOf(int number) => $"line {number}";

    public override BatchSettings Settings() => settings;

    protected override string NameOfNext => NameOf(lines + 1);

    protected override SequencePosition Take(ReadOnlySequence<byte> buffer, bool isLast)
    {
        while (buffer.PositionOf((byte)'\n') is { } end)
        {
            TakeLine(buffer.Slice(0, end));
            buffer = buffer.Slice(buffer.GetPosition(1, end));
        }

        if (!isLast || buffer.IsEmpty)
            return buffer.Start;
        TakeLine(buffer);
        return buffer.End;
    }

    protected override void Finish()
    {
        if (!any)
            Errors.Add("items", "Must have at least one.");
    }

    private void TakeLine(ReadOnlySequence<byte> line)
    {
        if (++lines > BatchLimits.MaxItems && !IsBlank(line))
            throw new ProblemException(
                Problem.Validation("body", $"A batch may have at most {BatchLimits.MaxItems:N0} lines."));
        if (IsBlank(line))
            return;
        any = true;
        if (line.Length > BatchItemParser.MaxBytes)
            Errors.Add(NameOf(lines), $"Must have at most {BatchItemParser.MaxBytes:N0} bytes.");
        else
            Add(line, lines);
    }

    private static bool IsBlank(ReadOnlySequence<byte> line)
    {
        foreach (var segment in line)
        {
            if (segment.Span.ContainsAnyExcept(" \t\r"u8))
                return false;
        }

        return true;
    }
}
