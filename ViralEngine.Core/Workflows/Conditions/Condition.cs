using System.Text.RegularExpressions;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Conditions;

/// <summary>What a choice decides by. Each kind compares a value, which is a template, or combines other conditions.</summary>
public abstract record Condition
{
    public sealed record All(IReadOnlyList<Condition> Of) : Condition;

    public sealed record Any(IReadOnlyList<Condition> Of) : Condition;

    public sealed record Not(Condition Of) : Condition;

    /// <summary>A number, such as an agent's confidence or an amount, within bounds that belong to it.</summary>
    public sealed record NumericRange(LiquidText Value, decimal? Min, decimal? Max) : Condition;

    public sealed record TextMatch(LiquidText Value, string Text, TextMatchMode Mode, bool CaseSensitive) : Condition;

    /// <summary>By .NET's linear-time engine: no pattern makes it slow.</summary>
    public sealed record RegexMatch(LiquidText Value, Regex Pattern) : Condition;

    /// <summary>True is <c>true</c> or a text that says so.</summary>
    public sealed record Boolean(LiquidText Value, bool Expected) : Condition;
}

public enum TextMatchMode
{
    Contains,
    Equals,
    StartsWith,
    EndsWith,
}
