using System.Text;
using System.Text.Json;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Texts;

namespace ViralEngine.Functions.Batches;

/// <summary>
/// Reads one item from its JSON. Hand-written for speed, because a batch has up to a million items; the rules are those
/// of
/// <see cref="BatchItemRequest"/>.
/// </summary>
internal sealed class BatchItemParser(FieldErrors errors)
{
    public const int MaxBytes = 1024 * 1024;
    public const int MaxIdLength = 200;
    public const int MaxDescriptionLength = 100_000;
    public const int MaxInputBytes = 256 * 1024;
    public const int MaxMetadataBytes = 16 * 1024;
    public const int MaxTimeoutSeconds = 3600;
    public const int MaxAttempts = 20;
    private const int MaxDepth = 32;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>The item; null with errors if <paramref name="json"/> is not a valid item.</summary>
    /// <param name="at">The name of the item in errors: <c>items[16]</c> or <c>line 17</c>.</param>
    public NewBatchItem? Parse(ReadOnlySpan<byte> json, int number, Func<int, string> at)
    {
        var before = errors.Count;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        var item = new NewBatchItem { Number = number };
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                errors.Add(at(number), "Must be an object.");
            else
                item = ParseObject(ref reader, json, item, at);
            reader.Skip();
            reader.Read(); // throws if something follows on the line
        }
        catch (JsonException e)
        {
            errors.Add(at(number), e.Message.Contains("depth", StringComparison.Ordinal)
                ? $"Must not be nested deeper than {MaxDepth} levels."
                : "Must be valid JSON.");
        }
        catch (Exception e) when (e is InvalidOperationException or DecoderFallbackException)
        {
            errors.Add(at(number), "Text must be valid UTF-8 without unpaired surrogates.");
        }

        return errors.Count == before ? item : null;
    }

    private NewBatchItem ParseObject(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> json, NewBatchItem item, Func<int, string> at)
    {
        var seen = Fields.None;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldOf(ref reader);
            var name = field == Fields.None ? reader.GetString()! : NameOf(field);
            var where = $"{at(item.Number)}.{name}";
            reader.Read();
            if (field == Fields.None)
            {
                errors.Add(where, "Unknown field.");
                reader.Skip();
                continue;
            }

            if ((seen & field) != 0)
                errors.Add(where, "Must be given only once.");
            seen |= field;
            if (reader.TokenType == JsonTokenType.Null && field != Fields.Description)
                continue;
            item = field switch
            {
                Fields.Id => item with { ItemId = Text(ref reader, where, MaxIdLength) },
                Fields.AgentId => item with { AgentId = Text(ref reader, where, 100) },
                Fields.Description => item with { Description = Text(ref reader, where, MaxDescriptionLength)! },
                Fields.Input => item with { InputJson = Raw(ref reader, json, where, MaxInputBytes) },
                Fields.Metadata => item with { MetadataJson = Object(ref reader, json, where) },
                Fields.TimeoutSeconds => item with { TimeoutSeconds = Whole(ref reader, where, MaxTimeoutSeconds) },
                Fields.MaxAttempts => item with { MaxAttempts = Whole(ref reader, where, MaxAttempts) },
                Fields.None => item,
            };
        }

        if ((seen & Fields.Description) == 0)
            errors.Add($"{at(item.Number)}.description", "Is required.");
        else if (item.Description is { } words && string.IsNullOrWhiteSpace(words))
            errors.Add($"{at(item.Number)}.description", "Must not be blank.");
        return item;
    }

    private string? Text(ref Utf8JsonReader reader, string where, int longest)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            errors.Add(where, "Must be a string.");
            reader.Skip();
            return null;
        }

        var text = reader.GetString()!;
        if (text.Length == 0 || text.Length > longest)
            errors.Add(where, $"Must have 1 to {longest:N0} characters.");
        else if (text.Contains('\0'))
            errors.Add(where, OutsideJson.NulRule);
        return text;
    }

    private int? Whole(ref Utf8JsonReader reader, string where, int most)
    {
        if (reader.TokenType == JsonTokenType.Number && WholeNumber.TryParse(NumberText(ref reader), out var value)
            && value >= 1 && value <= most)
            return (int)value;
        errors.Add(where, $"Must be a whole number from 1 to {most:N0}.");
        reader.Skip();
        return null;
    }

    private static string NumberText(ref Utf8JsonReader reader) => Encoding.ASCII.GetString(reader.ValueSpan);

    private string? Object(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string where)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
            return Raw(ref reader, json, where, MaxMetadataBytes);
        errors.Add(where, "Must be an object.");
        reader.Skip();
        return null;
    }

    /// <summary>
    /// Any JSON as it was written, with its strings checked: PostgreSQL accepts neither U+0000 nor unpaired surrogates.
    /// </summary>
    private string? Raw(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string where, int mostBytes)
    {
        var start = (int)reader.TokenStartIndex;
        var depth = reader.CurrentDepth;
        do
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName
                && reader.ValueIsEscaped && reader.GetString()!.Contains('\0'))
            {
                errors.Add(where, OutsideJson.NulRule);
            }
            else if (reader.TokenType == JsonTokenType.Number && !OutsideJson.IsGoodNumber(reader.ValueSpan))
            {
                errors.Add(where, OutsideJson.NumberRule);
            }
        }
        while (!IsEnd(ref reader, depth) && reader.Read());

        var length = (int)reader.BytesConsumed - start;
        if (length <= mostBytes)
            return StrictUtf8.GetString(json.Slice(start, length));
        errors.Add(where, $"Must have at most {mostBytes:N0} bytes of JSON.");
        return null;

        static bool IsEnd(ref Utf8JsonReader reader, int depth) =>
            reader.CurrentDepth == depth && reader.TokenType is not (
                JsonTokenType.StartObject or JsonTokenType.StartArray);
    }

    private static Fields FieldOf(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("description"u8) ? Fields.Description
        : reader.ValueTextEquals("id"u8) ? Fields.Id
        : reader.ValueTextEquals("input"u8) ? Fields.Input
        : reader.ValueTextEquals("agent_id"u8) ? Fields.AgentId
        : reader.ValueTextEquals("metadata"u8) ? Fields.Metadata
        : reader.ValueTextEquals("timeout_seconds"u8) ? Fields.TimeoutSeconds
        : reader.ValueTextEquals("max_attempts"u8) ? Fields.MaxAttempts
        : Fields.None;

    private static string NameOf(Fields field) => JsonNamingPolicy.SnakeCaseLower.ConvertName(field.ToString());

    [Flags]
    private enum Fields
    {
        None = 0,
        Id = 1,
        AgentId = 2,
        Description = 4,
        Input = 8,
        Metadata = 16,
        TimeoutSeconds = 32,
        MaxAttempts = 64,
    }
}
