using System.Text.RegularExpressions;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Conditions;

/// <summary>
/// A condition of a choice. Each kind tests a value, which is a template, or combines other conditions.
/// </summary>
public abstract record Condition
{
    public sealed record All(IReadOnlyList<Condition> Of) : Condition;

    public sealed record Any(IReadOnlyList<Condition> Of) : Condition;

    public sealed record Not(Condition Of) : Condition;

    /// <summary>Whether a number, such as an agent's confidence or an amount, is within inclusive bounds.</summary>
    public sealed record NumericRange(LiquidText Value, decimal? Min, decimal? Max) : Condition;

    public sealed record TextMatch(LiquidText Value, string Text, TextMatchMode Mode, bool CaseSensitive) : Condition;

    /// <summary>Matched by .NET's linear-time engine.</summary>
    public sealed record RegexMatch(LiquidText Value, Regex Pattern) : Condition;

    /// <summary>True for <c>true</c> or the text <c>true</c>.</summary>
    public sealed record Boolean(LiquidText Value, bool Expected) : Condition;
}

public enum TextMatchMode
{
    Contains,
    Equals,
    StartsWith,
    EndsWith,
}
