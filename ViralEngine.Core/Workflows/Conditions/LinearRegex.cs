using System.Text.RegularExpressions;

namespace ViralEngine.Core.Workflows.Conditions;

/// <summary>
/// Users' patterns, on the engine that runs in linear time. Patterns with too many states are rejected.
/// </summary>
internal static class LinearRegex
{
    public const int MaxCharacters = 1000;
    private const int MaxStates = 2000;
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(1);

    // Sets the engine's bound on states, which is off by default: (a{1000}){1000} would take all memory.
    static LinearRegex() => AppContext.SetData("REGEX_NONBACKTRACKING_MAX_AUTOMATA_SIZE", MaxStates);

    public static Regex? TryParse(string pattern, bool caseSensitive, out string? fault)
    {
        fault = null;
        var options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant
            | (caseSensitive ? RegexOptions.None : RegexOptions.IgnoreCase);
        try
        {
            return new Regex(pattern, options, MaxTime);
        }
        catch (RegexParseException e)
        {
            fault = $"Must be a valid pattern: {e.Error} at character {e.Offset}.";
        }
        catch (NotSupportedException)
        {
            fault = "Must not use back references, lookarounds or atomic groups, or repeat too often: "
                + "patterns run in linear time.";
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or InsufficientExecutionStackException)
        {
            fault = "Must be a valid pattern.";
        }

        return null;
    }
}
