using System.Globalization;
using System.Text.RegularExpressions;
using Fluid.Values;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Conditions;

/// <summary>Evaluates conditions. A missing or non-numeric value is in no range.</summary>
internal static class ConditionCheck
{
    private const int MaxForRegex = 64 * 1024;

    /// <exception cref="LiquidException">A value cannot be rendered, or is too long for its pattern.</exception>
    public static async Task<bool> HoldsAsync(Condition condition, LiquidValues values)
    {
        switch (condition)
        {
            case Condition.All all:
                foreach (var each in all.Of)
                {
                    if (!await HoldsAsync(each, values))
                        return false;
                }

                return true;
            case Condition.Any any:
                foreach (var each in any.Of)
                {
                    if (await HoldsAsync(each, values))
                        return true;
                }

                return false;
            case Condition.Not not:
                return !await HoldsAsync(not.Of, values);
            case Condition.NumericRange range:
                return IsWithin(await range.Value.RenderAsync(values), range.Min, range.Max);
            case Condition.TextMatch match:
                return Matches(match, await match.Value.RenderAsync(values));
            case Condition.RegexMatch match:
                return Matches(match, await match.Value.RenderAsync(values));
            case Condition.Boolean boolean:
                return Truth(await boolean.Value.EvaluateAsync(values)) == boolean.Expected;
            default:
                throw new InvalidOperationException($"Unknown condition {condition.GetType().Name}.");
        }
    }

    private static bool IsWithin(string text, decimal? min, decimal? max)
    {
        text = text.Trim();
        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number != 0)
            return !(number < min) && !(number > max);
        // Out of the range of a decimal, or missing.
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var rough)
            && !double.IsNaN(rough)
            && !(rough < (double?)min) && !(rough > (double?)max);
    }

    private static bool Matches(Condition.TextMatch match, string text)
    {
        var comparison = match.CaseSensitive ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        return match.Mode switch
        {
            TextMatchMode.Equals => text.Trim().Equals(match.Text, comparison),
            TextMatchMode.StartsWith => text.StartsWith(match.Text, comparison),
            TextMatchMode.EndsWith => text.EndsWith(match.Text, comparison),
            _ => text.Contains(match.Text, comparison),
        };
    }

    private static bool Matches(Condition.RegexMatch match, string text)
    {
        if (text.Length > MaxForRegex)
            throw new LiquidException($"A value has more than {MaxForRegex:N0} characters, too many for a pattern.");
        try
        {
            return match.Pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            throw new LiquidException("A pattern takes too long to match.");
        }
    }

    private static bool Truth(FluidValue value) => value switch
    {
        BooleanValue => value.ToBooleanValue(),
        NilValue => false,
        NumberValue => value.ToNumberValue() != 0,
        _ => value.ToStringValue().Trim().ToUpperInvariant() is "TRUE" or "YES" or "1",
    };
}
