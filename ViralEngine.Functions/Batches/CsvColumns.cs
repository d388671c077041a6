using System.Buffers;
using System.Text.Json;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Texts;

namespace ViralEngine.Functions.Batches;

/// <summary>
/// The columns of a CSV file, by the names in its first line: columns named like a field of an item set that field; all
/// others become string members of the item's input.
/// </summary>
internal sealed class CsvColumns
{
    private static readonly Dictionary<string, Type> Fields = typeof(BatchItemRequest).GetProperties()
        .ToDictionary(field => JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name), field => field.PropertyType);

    private static readonly char[] Separators = [',', ';', '\t'];
    private readonly ArrayBufferWriter<byte> buffer = new();

    private CsvColumns(IReadOnlyList<string> names, char separator) => (Names, Separator) = (names, separator);

    public IReadOnlyList<string> Names { get; }

    /// <summary>A comma, a semicolon or a tab. Which one spreadsheets write depends on the locale.</summary>
    public char Separator { get; }

    /// <summary>
    /// The separator that a line before the header announces, such as <c>sep=;</c>; null for any other line.
    /// </summary>
    public static char? AnnouncedBy(string record) =>
        record.Length == 5 && record.StartsWith(
            "sep=", StringComparison.OrdinalIgnoreCase) && Separators.Contains(record[4]) ? record[4] : null;

    /// <param name="where">The name of the header line in errors.</param>
    /// <param name="announced">The separator; null for whichever makes the most columns.</param>
    public static CsvColumns? Read(string header, string where, FieldErrors errors, char? announced = null)
    {
        var separator = announced ?? Separators.MaxBy(each => CsvRecords.Split(header, each)?.Count ?? 0);
        if (CsvRecords.Split(header, separator) is not { } fields)
        {
            errors.Add(where, "Must close each quote.");
            return null;
        }

        var names = fields.ConvertAll(name => name.Trim());
        // Cells to the right of the table.
        while (names.Count > 1 && names[^1].Length == 0)
            names.RemoveAt(names.Count - 1);
        var before = errors.Count;
        foreach (var repeated in names.GroupBy(name => name).Where(group => group.Count() > 1))
            errors.Add(
                where,
                repeated.Key.Length == 0
                    ? "Must name every column."
                    : $"Must not have the column '{repeated.Key}' twice.");
        if (!names.Contains("description"))
            errors.Add(where, "Must have a column 'description'. The first line names the columns.");
        if (names.Contains("input") && names.Find(name => !IsOwn(name)) is { } other)
            errors.Add(
                where, $"Unknown column '{other}'. Columns of your own cannot be combined with a column 'input'.");
        return errors.Count == before ? new CsvColumns(names, separator) : null;
    }

    /// <summary>The item as JSON, without empty fields.</summary>
    public ReadOnlySequence<byte> ToJson(IReadOnlyList<string> fields)
    {
        buffer.ResetWrittenCount();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        for (var i = 0; i < Names.Count; i++)
        {
            if (IsOwn(Names[i]) && fields[i].Length > 0)
                Write(json, Names[i], fields[i]);
        }

        if (Names.Any(name => !IsOwn(name)))
        {
            json.WriteStartObject("input");
            for (var i = 0; i < Names.Count; i++)
            {
                if (!IsOwn(Names[i]))
                    json.WriteString(Names[i], fields[i]);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
        return new ReadOnlySequence<byte>(buffer.WrittenMemory);
    }

    private static bool IsOwn(string name) => Fields.ContainsKey(name);

    /// <summary>
    /// A value that does not have the field's type is written as a string, and rejected like that of any other item.
    /// </summary>
    private static void Write(Utf8JsonWriter json, string name, string field)
    {
        if (Fields[name] == typeof(int) && WholeNumber.TryParse(field.AsSpan().Trim(), out var number))
        {
            json.WriteNumber(name, number);
        }
        else if (Fields[name] == typeof(JsonElement?) && IsJson(field))
        {
            json.WritePropertyName(name);
            json.WriteRawValue(field, skipInputValidation: true);
        }
        else
        {
            json.WriteString(name, field);
        }
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
