using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Batches;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>One item per record, after a header line that names the columns. The settings are in the query.</summary>
internal sealed class CsvBatchBody(PipeReader pipe, long mostBytes, IQueryCollection query) : BatchBody(pipe, mostBytes)
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
    private readonly BatchSettings settings = RequestBinder.BindQuery<BatchSettings>(query);
    private int line = 1;
    private char? announced;
    private bool any;

    /// <summary>Null until the first line has arrived.</summary>
    public CsvColumns? Columns { get; private set; }

    public override string NameOf(int number) => $"line {number}";

    public override BatchSettings Settings() => settings;

    protected override string NameOfNext => NameOf(line);

    protected override SequencePosition Take(ReadOnlySequence<byte> buffer, bool isLast)
    {
        while (CsvRecords.EndOf(buffer, (byte)(Columns?.Separator ?? announced ?? ',')) is { } end)
        {
            TakeRecord(buffer.Slice(0, end));
            line++;
            buffer = buffer.Slice(buffer.GetPosition(1, end));
        }

        if (!isLast || buffer.IsEmpty)
            return buffer.Start;
        TakeRecord(buffer);
        return buffer.End;
    }

    protected override void Finish()
    {
        if (!any)
            Errors.Add("items", "Must have at least one line after the header line.");
    }

    private void TakeRecord(ReadOnlySequence<byte> bytes)
    {
        var first = line;
        if (bytes.Length > BatchItemParser.MaxBytes)
        {
            Errors.Add(NameOf(first), $"Must have at most {BatchItemParser.MaxBytes:N0} bytes.");
            Errors.ThrowIfAny();
        }

        if (TextOf(bytes) is not { } record)
            return;
        line += record.Count(c => c == '\n');
        if (Columns is null)
        {
            announced ??= CsvColumns.AnnouncedBy(record);
            if (announced is not null && first == 1)
                return;
            Columns = CsvColumns.Read(record, NameOf(first), Errors, announced);
            if (Columns is null)
                Errors.ThrowIfAny();
        }
        else if (record.Length > 0)
        {
            TakeItem(record, first);
        }
    }

    private void TakeItem(string record, int number)
    {
        if (number > BatchLimits.MaxItems)
            throw new ProblemException(
                Problem.Validation("body", $"A batch may have at most {BatchLimits.MaxItems:N0} lines."));
        if (CsvRecords.Split(record, Columns!.Separator) is not { } fields)
        {
            any = true;
            Errors.Add(NameOf(number), "Must close each quote, with nothing between it and the next separator.");
            return;
        }

        // Spreadsheets write separators for cells that were used once and are empty.
        if (fields.TrueForAll(field => field.Length == 0))
            return;
        any = true;
        while (fields.Count > Columns.Names.Count && fields[^1].Length == 0)
            fields.RemoveAt(fields.Count - 1);
        if (fields.Count != Columns.Names.Count)
            Errors.Add(
                NameOf(number), $"Must have {Columns.Names.Count} fields, one for each column; has {fields.Count}.");
        else
            Add(Columns.ToJson(fields), number);
    }

    private string? TextOf(ReadOnlySequence<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes).TrimEnd('\r');
        }
        catch (DecoderFallbackException)
        {
            Errors.Add(NameOf(line), "Must be valid UTF-8. Save the file as CSV in UTF-8.");
            Errors.ThrowIfAny();
            return null;
        }
    }
}
