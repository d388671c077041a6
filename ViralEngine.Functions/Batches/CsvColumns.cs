using System.Buffers;
using System.Text.Json;
using ViralEngine.Core.Texts;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>
/// What the columns of a CSV file mean, by their names in its first line: those of an item's fields are these, any other is a member
/// of the item's input, as text.
/// </summary>
internal sealed class CsvColumns
{
    private static readonly HashSet<string> Texts = ["id", "agent_id", "description"];
    private static readonly HashSet<string> Numbers = ["timeout_seconds", "max_attempts"];
    private static readonly HashSet<string> Documents = ["input", "metadata"];
    private static readonly char[] Separators = [',', ';', '\t'];
    private readonly ArrayBufferWriter<byte> buffer = new();

    private CsvColumns(IReadOnlyList<string> names, char separator) => (Names, Separator) = (names, separator);

    public IReadOnlyList<string> Names { get; }

    /// <summary>A comma, a semicolon or a tab: spreadsheets write each, by the country they are in.</summary>
    public char Separator { get; }

    /// <summary>What a line before the names, such as <c>sep=;</c>, says that fields are separated by; null: it is no such line.</summary>
    public static char? AnnouncedBy(string record) =>
        record.Length == 5 && record.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) && Separators.Contains(record[4]) ? record[4] : null;

    /// <param name="where">How errors name the line of the names.</param>
    /// <param name="announced">What separates fields; null: what makes most columns.</param>
    public static CsvColumns? Read(string header, string where, FieldErrors errors, char? announced = null)
    {
        var separator = announced ?? Separators.MaxBy(each => CsvRecords.Split(header, each)?.Count ?? 0);
        if (CsvRecords.Split(header, separator) is not { } fields)
        {
            errors.Add(where, "A quote in the names of the columns is not closed.");
            return null;
        }

        var names = fields.ConvertAll(name => name.Trim());
        // Cells to the right of the table.
        while (names.Count > 1 && names[^1].Length == 0)
            names.RemoveAt(names.Count - 1);
        var before = errors.Count;
        foreach (var repeated in names.GroupBy(name => name).Where(group => group.Count() > 1))
            errors.Add(where, repeated.Key.Length == 0 ? "A column has no name." : $"There are two columns '{repeated.Key}'.");
        if (!names.Contains("description"))
            errors.Add(where, "There must be a column 'description': the first line names the columns.");
        if (names.Contains("input") && names.Find(name => !IsOwn(name)) is { } other)
            errors.Add(where, $"The column '{other}' is not known: it would be a part of the input, which has a column of its own.");
        return errors.Count == before ? new CsvColumns(names, separator) : null;
    }

    /// <summary>The item as JSON. Fields that are empty are left out.</summary>
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

    private static bool IsOwn(string name) => Texts.Contains(name) || Numbers.Contains(name) || Documents.Contains(name);

    /// <summary>What is not of the field's type is written as text, and refused as any other item's would be.</summary>
    private static void Write(Utf8JsonWriter json, string name, string field)
    {
        if (Numbers.Contains(name) && WholeNumber.TryParse(field.AsSpan().Trim(), out var number))
        {
            json.WriteNumber(name, number);
        }
        else if (Documents.Contains(name) && IsJson(field))
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
