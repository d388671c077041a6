using System.Text.Json;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Fields;

/// <summary>
/// Reads a JSON object field by field and records the errors of each. Null counts as absent. <see cref="RefuseOthers"/>
/// rejects unknown fields, so that a misspelt field is not silently ignored.
/// </summary>
internal sealed class FieldReader(JsonElement fields, string path, FieldErrors errors)
{
    private readonly HashSet<string> known = [];

    public string? Text(string name, int maxLength)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.String)
            return Wrong<string>(name, "Must be a string.");
        if (!TryGetString(value, out var text))
            return Wrong<string>(name, "Must be valid Unicode.");
        return text.Length <= maxLength && !text.Contains('\0')
            ? text
            : Wrong<string>(name, $"Must have at most {maxLength} characters, none of them NUL.");
    }

    public int? Integer(string name, int min, int max)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && WholeNumber.TryParse(value.GetRawText(), out var number)
            && number >= min && number <= max)
            return (int)number;
        Fail(name, $"Must be a whole number from {min} to {max}.");
        return null;
    }

    public decimal? Number(string name, decimal min, decimal max)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) && number >= min
            && number <= max)
            return number;
        Fail(name, $"Must be a number from {min} to {max}.");
        return null;
    }

    public bool Flag(string name)
    {
        if (Find(name) is not { } value)
            return false;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Fail(name, "Must be true or false.");
        return false;
    }

    /// <summary>One of a few words; <paramref name="words"/> maps them to values.</summary>
    public T? Choice<T>(string name, IReadOnlyDictionary<string, T> words)
        where T : struct
    {
        if (Text(name, 100) is not { } word)
            return null;
        if (words.TryGetValue(word, out var meaning))
            return meaning;
        Fail(name, $"Must be one of {string.Join(", ", words.Keys)}.");
        return null;
    }

    public bool IsNull(string name)
    {
        known.Add(name);
        return fields.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Null;
    }

    public FieldReader? Object(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return new FieldReader(value, At(name), errors);
        return Wrong<FieldReader>(name, "Must be an object.");
    }

    /// <summary>The objects of an array; other elements are errors and left out.</summary>
    public IReadOnlyList<FieldReader>? Objects(string name, int minCount, int maxCount)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            return Wrong<IReadOnlyList<FieldReader>>(name, "Must be an array.");
        if (value.GetArrayLength() < minCount || value.GetArrayLength() > maxCount)
            return Wrong<IReadOnlyList<FieldReader>>(name, $"Must have {minCount} to {maxCount} items.");

        var readers = new List<FieldReader>();
        foreach (var (index, item) in value.EnumerateArray().Index())
        {
            if (item.ValueKind == JsonValueKind.Object)
                readers.Add(new FieldReader(item, $"{At(name)}[{index}]", errors));
            else
                Fail($"{name}[{index}]", "Must be an object.");
        }

        return readers;
    }

    /// <summary>An array of strings, each of at least 1 character.</summary>
    public IReadOnlyList<string>? Texts(string name, int maxCount, int maxLength)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > maxCount)
            return Wrong<IReadOnlyList<string>>(name, $"Must be an array of at most {maxCount} strings.");

        var texts = new List<string>();
        foreach (var (index, item) in value.EnumerateArray().Index())
        {
            if (item.ValueKind == JsonValueKind.String && TryGetString(item, out var text)
                && text.Length > 0 && text.Length <= maxLength && !text.Contains('\0'))
                texts.Add(text);
            else
                Fail($"{name}[{index}]", $"Must be a string of 1 to {maxLength} characters.");
        }

        return texts;
    }

    /// <summary>Any JSON.</summary>
    public JsonElement? Value(string name) => Find(name);

    /// <summary>An object of strings; <paramref name="check"/> returns an error or null for each.</summary>
    public IReadOnlyDictionary<string, string>? Map(string name, int maxCount, Func<string, string, string?> check)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Object)
            return Wrong<IReadOnlyDictionary<string, string>>(name, "Must be an object of strings.");

        var map = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var entry in value.EnumerateObject())
        {
            if (map.Count == maxCount)
                return Wrong<IReadOnlyDictionary<string, string>>(name, $"Must have at most {maxCount} entries.");
            if (entry.Value.ValueKind != JsonValueKind.String || !TryGetString(entry.Value, out var text))
                Fail($"{name}.{entry.Name}", "Must be a string.");
            else if (check(entry.Name, text) is { } fault)
                Fail($"{name}.{entry.Name}", fault);
            else if (!map.TryAdd(entry.Name, text))
                Fail($"{name}.{entry.Name}", "Must be given only once.");
        }

        return map;
    }

    public void Require(string name, object? value)
    {
        if (value is null && Find(name) is null)
            Fail(name, "Is required.");
    }

    public void Fail(string name, string message) => errors.Add(At(name), message);

    public void RefuseOthers(string message = "Unknown setting for this kind of agent.")
    {
        foreach (var property in fields.EnumerateObject())
        {
            if (!known.Contains(property.Name))
                Fail(property.Name, message);
        }
    }

    /// <summary>The path of a field, as errors name it.</summary>
    public string At(string name) => path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>The path of the object itself.</summary>
    public string Path => path;

    private JsonElement? Find(string name)
    {
        known.Add(name);
        return fields.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private T? Wrong<T>(string name, string message)
        where T : class
    {
        Fail(name, message);
        return null;
    }

    // An escaped unpaired surrogate is valid JSON but not valid text.
    private static bool TryGetString(JsonElement value, out string text)
    {
        try
        {
            text = value.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }
}
