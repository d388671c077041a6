using ViralEngine.Core.Fields;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Conditions;

/// <summary>Reads conditions of a definition.</summary>
internal sealed class ConditionReader(DefinitionTexts texts)
{
    private const int MaxDepth = 5;
    private const int MaxTogether = 20;

    private static readonly Dictionary<string, TextMatchMode> Modes = new()
    {
        ["contains"] = TextMatchMode.Contains,
        ["equals"] = TextMatchMode.Equals,
        ["starts_with"] = TextMatchMode.StartsWith,
        ["ends_with"] = TextMatchMode.EndsWith,
    };

    /// <summary>Null if it is not valid. The caller must first read the fields of the surrounding branch.</summary>
    public Condition? Read(FieldReader json, int depth = 1)
    {
        var type = json.Text("type", 20);
        var condition = type switch
        {
            null => Missing(json),
            "all" or "any" or "not" when depth > MaxDepth => Fail(
                json, "type", $"Must not be nested deeper than {MaxDepth} levels."),
            "all" => ReadSome(json, depth) is { } some ? new Condition.All(some) : null,
            "any" => ReadSome(json, depth) is { } some ? new Condition.Any(some) : null,
            "not" => ReadNot(json, depth),
            "confidence" => ReadRange(json, 0, 1),
            "numeric_range" => ReadRange(json, decimal.MinValue, decimal.MaxValue),
            "text_match" => ReadTextMatch(json),
            "regex_match" => ReadRegex(json),
            "boolean" => ReadBoolean(json),
            _ => Fail(
                json,
                "type",
                "Must be one of all, any, not, confidence, numeric_range, text_match, regex_match, boolean."),
        };
        json.RefuseOthers("Unknown field.");
        return condition;
    }

    private static Condition? Missing(FieldReader json)
    {
        json.Require("type", null);
        return null;
    }

    private static Condition? Fail(FieldReader json, string name, string message)
    {
        json.Fail(name, message);
        return null;
    }

    private Condition[]? ReadSome(FieldReader json, int depth)
    {
        var inner = json.Objects("conditions", 1, MaxTogether);
        json.Require("conditions", inner);
        var read = inner?.Select(each => Read(each, depth + 1)).ToArray();
        return read is not null && read.All(each => each is not null) ? [.. read.OfType<Condition>()] : null;
    }

    private Condition.Not? ReadNot(FieldReader json, int depth)
    {
        var inner = json.Object("condition");
        json.Require("condition", inner);
        return inner is not null && Read(inner, depth + 1) is { } condition ? new Condition.Not(condition) : null;
    }

    private Condition.NumericRange? ReadRange(FieldReader json, decimal lowest, decimal highest)
    {
        var value = Value(json);
        var min = json.Number("min", lowest, highest);
        var max = json.Number("max", lowest, highest);
        if (json.Value("min") is null && json.Value("max") is null)
            json.Fail("min", "Either min or max is required.");
        CheckOrder(json, min, max);
        return value is null ? null : new Condition.NumericRange(value, min, max);
    }

    private Condition.TextMatch? ReadTextMatch(FieldReader json)
    {
        var value = Value(json);
        var text = json.Text("text", 1000);
        json.Require("text", text);
        var mode = json.Choice("mode", Modes) ?? TextMatchMode.Contains;
        var caseSensitive = json.Flag("case_sensitive");
        return value is null || text is null ? null : new Condition.TextMatch(value, text, mode, caseSensitive);
    }

    private Condition.RegexMatch? ReadRegex(FieldReader json)
    {
        var value = Value(json);
        var pattern = json.Text("pattern", LinearRegex.MaxCharacters);
        json.Require("pattern", pattern);
        var caseSensitive = json.Flag("case_sensitive");
        if (pattern is null)
            return null;
        var regex = LinearRegex.TryParse(pattern, caseSensitive, out var fault);
        if (regex is null)
            json.Fail("pattern", fault!);
        return value is null || regex is null ? null : new Condition.RegexMatch(value, regex);
    }

    private Condition.Boolean? ReadBoolean(FieldReader json)
    {
        var value = Value(json);
        var expected = json.Value("equals") is null || json.Flag("equals");
        return value is null ? null : new Condition.Boolean(value, expected);
    }

    private LiquidText? Value(FieldReader json) => texts.Read(json, "value", required: true);

    private static void CheckOrder(FieldReader json, decimal? min, decimal? max)
    {
        if (min > max)
            json.Fail("min", "Must not be greater than max.");
    }
}
