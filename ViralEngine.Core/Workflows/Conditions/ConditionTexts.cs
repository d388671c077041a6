using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Conditions;

internal static class ConditionTexts
{
    /// <summary>All templates in a condition, including nested conditions.</summary>
    public static IEnumerable<LiquidText> Of(Condition condition) => condition switch
    {
        Condition.All all => all.Of.SelectMany(Of),
        Condition.Any any => any.Of.SelectMany(Of),
        Condition.Not not => Of(not.Of),
        Condition.NumericRange range => [range.Value],
        Condition.TextMatch match => [match.Value],
        Condition.RegexMatch match => [match.Value],
        Condition.Boolean boolean => [boolean.Value],
        _ => throw new InvalidOperationException($"Unknown condition {condition.GetType().Name}."),
    };
}
