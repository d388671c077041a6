using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>A JSON document whose settings may stand before or after its items.</summary>
internal sealed class JsonBatchBody(PipeReader pipe, long mostBytes) : BatchBody(pipe, mostBytes)
{
    private const int MaxSettingsBytes = 64 * 1024;
    private readonly ArrayBufferWriter<byte> settings = new();
    private readonly HashSet<string> names = [];
    // an item's 32, in an array in an object
    private JsonReaderState state = new(new JsonReaderOptions { MaxDepth = 34 });
    private Place place = Place.Start;
    private int items;

    private enum Place
    {
        Start,
        Document,
        Items,
        End,
    }

    public override string NameOf(int number) => $"items[{number - 1}]";

    public override BatchSettings Settings()
    {
        using var document = JsonDocument.Parse(Closed(settings));
        return RequestBinder.Bind<BatchSettings>(document.RootElement);
    }

    protected override string NameOfNext => place == Place.Items ? NameOf(items + 1) : "body";

    protected override SequencePosition Take(ReadOnlySequence<byte> buffer, bool isLast)
    {
        var reader = new Utf8JsonReader(buffer, isLast, state);
        try
        {
            while (true)
            {
                var before = reader;
                if (!TryStep(ref reader, buffer))
                {
                    reader = before;
                    break;
                }
            }
        }
        catch (JsonException e)
        {
            Errors.Add(NameOfNext, Explain(e));
            Errors.ThrowIfAny();
        }

        state = reader.CurrentState;
        return buffer.GetPosition(reader.BytesConsumed);
    }

    protected override void Finish()
    {
        if (place != Place.End)
            Errors.Add("body", place == Place.Start ? "A JSON body is required." : "The JSON document is incomplete.");
        else if (items == 0)
            Errors.Add("items", names.Contains("items") ? "Must have at least one." : "Is required.");
    }

    /// <summary>Reads one complete item or setting. False if it has not arrived yet.</summary>
    private bool TryStep(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
    {
        if (!reader.Read())
            return false;
        switch (place)
        {
            case Place.Start:
                if (reader.TokenType != JsonTokenType.StartObject)
                    throw new ProblemException(Problem.Validation("body", "Must be an object."));
                place = Place.Document;
                return true;
            case Place.Document when reader.TokenType == JsonTokenType.EndObject:
                place = Place.End;
                return true;
            case Place.Document:
                return TryTakeField(ref reader, buffer);
            case Place.Items when reader.TokenType == JsonTokenType.EndArray:
                place = Place.Document;
                return true;
            default:
                var start = reader.TokenStartIndex;
                if (!reader.TrySkip())
                    return false;
                items++;
                var item = buffer.Slice(start, reader.BytesConsumed - start);
                if (item.Length > BatchItemParser.MaxBytes)
                    Errors.Add(NameOf(items), $"Must have at most {BatchItemParser.MaxBytes:N0} bytes.");
                else
                    Add(item, items);
                return true;
        }
    }

    private bool TryTakeField(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
    {
        var name = NameOf(ref reader);
        if (!reader.Read())
            return false;
        var start = reader.TokenStartIndex;
        if (name == "items" && reader.TokenType == JsonTokenType.StartArray)
            place = Place.Items;
        else if (!reader.TrySkip())
            return false;
        if (!names.Add(name))
            Errors.Add(name, "Must be given only once.");
        else if (place != Place.Items && name == "items")
            Errors.Add(name, "Must be an array.");
        else if (place != Place.Items)
            Keep(name, buffer.Slice(start, reader.BytesConsumed - start));
        return true;
    }

    private static string NameOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new ProblemException(Problem.Validation("body", "Field names must be valid UTF-8."));
        }
    }

    /// <summary>
    /// Collects the settings in a small document, which is bound by their record's rules like any other request.
    /// </summary>
    private void Keep(string name, ReadOnlySequence<byte> value)
    {
        if (settings.WrittenCount + value.Length + name.Length > MaxSettingsBytes)
            throw new ProblemException(
                Problem.Validation(name, $"The settings must have at most {MaxSettingsBytes:N0} bytes."));
        settings.Write(settings.WrittenCount == 0 ? "{"u8 : ","u8);
        settings.Write(JsonSerializer.SerializeToUtf8Bytes(name, ApiJson.Options));
        settings.Write(":"u8);
        foreach (var segment in value)
            settings.Write(segment.Span);
    }

    private static byte[] Closed(ArrayBufferWriter<byte> settings) =>
        settings.WrittenCount == 0 ? "{}"u8.ToArray() : [.. settings.WrittenSpan, (byte)'}'];
}
