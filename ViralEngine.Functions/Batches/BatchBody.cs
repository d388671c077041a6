using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Texts;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>The body of a submission, read item by item as it arrives; with only the latest part in memory.</summary>
internal abstract class BatchBody(PipeReader pipe, long mostBytes)
{
    /// <summary>At most this many errors are collected.</summary>
    private const int MaxFaults = 20;

    private const int MarkLength = 3;

    private readonly List<NewBatchItem> ready = [];

    protected FieldErrors Errors { get; } = new();

    protected BatchItemParser Parser => field ??= new BatchItemParser(Errors);

    /// <summary>The name of an item in errors, by its number.</summary>
    public abstract string NameOf(int number);

    /// <summary>The batch's settings, known once the items have been read.</summary>
    /// <exception cref="ProblemException">400 with all errors.</exception>
    public abstract BatchSettings Settings();

    /// <exception cref="ProblemException">400 with the faults, or 413.</exception>
    public async IAsyncEnumerable<NewBatchItem> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var total = 0L;
        await SkipMarkAsync(ct);
        while (true)
        {
            var read = await pipe.ReadAsync(ct);
            var consumed = read.Buffer.End;
            try
            {
                consumed = Take(read.Buffer, read.IsCompleted);
                total += read.Buffer.Slice(0, consumed).Length;
                Check(total, waiting: read.Buffer.Slice(consumed).Length);
            }
            finally
            {
                pipe.AdvanceTo(consumed, read.Buffer.End);
            }

            // After the first error nothing is stored; the rest is read to find further errors.
            if (Errors.Count == 0)
            {
                foreach (var item in ready)
                    yield return item;
            }

            ready.Clear();
            if (read.IsCompleted)
                break;
        }

        Finish();
        Errors.ThrowIfAny();
    }

    public static ProblemException TooLarge(long mostBytes) => new(new Problem(
        413, "body-too-large", "The body is too large.", $"It must have at most {mostBytes:N0} bytes."));

    protected abstract string NameOfNext { get; }

    /// <summary>Adds every complete item in the buffer (<see cref="Add"/>).</summary>
    /// <returns>The position after the last complete item.</returns>
    protected abstract SequencePosition Take(ReadOnlySequence<byte> buffer, bool isLast);

    /// <summary>Called at the end of the body: reports what is missing.</summary>
    protected abstract void Finish();

    /// <summary>Skips a byte order mark.</summary>
    private async Task SkipMarkAsync(CancellationToken ct)
    {
        while (true)
        {
            var read = await pipe.ReadAsync(ct);
            var buffer = read.Buffer;
            if (buffer.Length < MarkLength && !read.IsCompleted)
            {
                pipe.AdvanceTo(buffer.Start, buffer.End);
                continue;
            }

            var beginning = buffer.Slice(0, Math.Min(buffer.Length, MarkLength)).ToArray();
            pipe.AdvanceTo(buffer.GetPosition(beginning.Length - OutsideText.WithoutMark(beginning).Length));
            return;
        }
    }

    private void Check(long taken, long waiting)
    {
        if (taken > mostBytes)
            throw TooLarge(mostBytes);
        if (waiting > BatchItemParser.MaxBytes)
            Errors.Add(NameOfNext, $"Must have at most {BatchItemParser.MaxBytes:N0} bytes.");
        if (waiting > BatchItemParser.MaxBytes || Errors.Count >= MaxFaults)
            Errors.ThrowIfAny();
    }

    protected void Add(ReadOnlySequence<byte> json, int number)
    {
        if (number > BatchLimits.MaxItems)
            throw new ProblemException(
                Problem.Validation("items", $"A batch may have at most {BatchLimits.MaxItems:N0} items."));
        var length = (int)json.Length;
        var rented = json.IsSingleSegment ? null : ArrayPool<byte>.Shared.Rent(length);
        try
        {
            if (rented is not null)
                json.CopyTo(rented);
            if (Parser.Parse(rented is null ? json.FirstSpan : rented.AsSpan(0, length), number, NameOf) is { } item)
                ready.Add(item);
        }
        finally
        {
            if (rented is not null)
                ArrayPool<byte>.Shared.Return(rented);
        }
    }

    protected static string Explain(JsonException e) =>
        e is { LineNumber: { } line, BytePositionInLine: { } column }
            ? $"Must be valid JSON in UTF-8: error at line {line + 1}, byte {column + 1}."
            : "Must be valid JSON in UTF-8.";
}
