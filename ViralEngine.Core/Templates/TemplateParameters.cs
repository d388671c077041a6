using System.Text.Json;
using System.Text.RegularExpressions;
using ViralEngine.Core.Fields;

namespace ViralEngine.Core.Templates;

/// <summary>The parameters of a template: reads their declarations and validates values.</summary>
public sealed class TemplateParameters
{
    private const int MaxCount = 50;

    private static readonly Dictionary<string, ParameterType> Types =
        Enum.GetValues<ParameterType>().ToDictionary(
            type => JsonNamingPolicy.SnakeCaseLower.ConvertName(type.ToString()));

    private readonly IReadOnlyList<TemplateParameter> parameters;

    private TemplateParameters(IReadOnlyList<TemplateParameter> parameters) => this.parameters = parameters;

    /// <summary>Reads an array of declarations under <c>parameters</c>; null with errors.</summary>
    /// <param name="json">The object with the array.</param>
    public static TemplateParameters? Read(JsonElement json, FieldErrors errors)
    {
        var items = new FieldReader(json, "", errors).Objects("parameters", 0, MaxCount);
        var read = new List<TemplateParameter>();
        var names = new HashSet<string>();
        foreach (var item in items ?? [])
        {
            if (ReadOne(item, names) is { } parameter)
                read.Add(parameter);
            item.RefuseOthers("Unknown field.");
        }

        return errors.Any ? null : new TemplateParameters(read);
    }

    /// <summary>The input of a workflow: the given values, and defaults for the others. Null with errors.</summary>
    public string? Apply(JsonElement? given, string path, FieldErrors errors)
    {
        if (given is { ValueKind: not JsonValueKind.Object })
        {
            errors.Add(path, "Must be an object.");
            return null;
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var parameter in parameters)
                Apply(parameter, given, path, errors, writer);
            writer.WriteEndObject();
        }

        foreach (var property in given?.EnumerateObject() ?? default)
        {
            if (!parameters.Any(parameter => parameter.Name == property.Name))
                errors.Add($"{path}.{property.Name}", "Unknown parameter.");
        }

        return errors.Any ? null : System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Apply(
        TemplateParameter parameter, JsonElement? given, string path, FieldErrors errors, Utf8JsonWriter writer)
    {
        if (given is { } json && json.TryGetProperty(parameter.Name, out var value)
            && value.ValueKind != JsonValueKind.Null)
        {
            if (parameter.Check(value) is { } fault)
                errors.Add($"{path}.{parameter.Name}", fault);
        }
        else if (parameter.Default is { } otherwise)
        {
            value = otherwise;
        }
        else
        {
            if (parameter.Required)
                errors.Add($"{path}.{parameter.Name}", "Is required.");
            return;
        }

        writer.WritePropertyName(parameter.Name);
        value.WriteTo(writer);
    }

    private static TemplateParameter? ReadOne(FieldReader json, HashSet<string> names)
    {
        var name = json.Text("name", 64);
        json.Require("name", name);
        if (name is not null && (name.Length == 0 || !char.IsAsciiLetter(name[0]) || !name.All(
            c => char.IsAsciiLetterOrDigit(c) || c == '_')))
            json.Fail("name", "Must begin with a letter and contain only letters, digits and _.");
        else if (name is not null && !names.Add(name))
            json.Fail("name", "Must be unique among the parameters.");
        _ = json.Text("description", 1000);
        var type = json.Choice("type", Types);
        json.Require("type", type);
        var required = json.Flag("required");
        var min = json.Number("min", decimal.MinValue, decimal.MaxValue);
        var max = json.Number("max", decimal.MinValue, decimal.MaxValue);
        if (min > max)
            json.Fail("min", "Must not be greater than max.");
        var values = json.Texts("values", 100, 200);
        if ((type == ParameterType.Enum) != values is { Count: > 0 } && type is not null)
            json.Fail("values", "Is required with type enum, and not allowed with other types.");
        var pattern = ReadPattern(json, type);
        var otherwise = json.Value("default");
        if (name is null || type is null)
            return null;
        var parameter = new TemplateParameter(name, type.Value, required, otherwise, min, max, pattern, values ?? []);
        if (otherwise is { } value && parameter.Check(value) is { } fault)
            json.Fail("default", fault);
        return parameter;
    }

    private static Regex? ReadPattern(FieldReader json, ParameterType? type)
    {
        if (json.Text("pattern", Workflows.Conditions.LinearRegex.MaxCharacters) is not { } source)
            return null;
        if (type != ParameterType.String)
        {
            json.Fail("pattern", "Requires type string.");
            return null;
        }

        var pattern = Workflows.Conditions.LinearRegex.TryParse(source, caseSensitive: true, out var fault);
        if (pattern is null)
            json.Fail("pattern", fault!);
        return pattern;
    }
}
