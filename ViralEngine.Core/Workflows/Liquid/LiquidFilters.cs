using System.Diagnostics;
using Fluid;
using Fluid.Values;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>Which filters there are, and how much each may take and give: a few lines could else double a text forty times.</summary>
internal static class LiquidFilters
{
    private const int MostItems = 20_000;
    private const string Clock = "started";
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);

    /// <summary>Those whose result may be as long as the product of what they are given.</summary>
    private static readonly HashSet<string> Multiplying = ["replace", "join"];

    public static IReadOnlySet<string> Names { get; } = new HashSet<string>
    {
        "abs", "append", "at_least", "at_most", "base64_decode", "base64_encode", "capitalize", "ceil", "compact", "concat", "date",
        "default", "divided_by", "downcase", "escape", "first", "floor", "join", "json", "last", "lstrip", "map", "minus", "modulo",
        "newline_to_br", "plus", "prepend", "remove", "remove_first", "replace", "replace_first", "reverse", "round", "rstrip",
        "sha256", "size", "slice", "sort", "split", "strip", "strip_html", "strip_newlines", "sum", "times", "truncate",
        "truncatewords", "uniq", "upcase", "url_decode", "url_encode", "where",
    };

    /// <summary>From now on the filters of a rendering have two seconds together.</summary>
    public static void StartClock(TemplateContext context) => context.AmbientValues[Clock] = Stopwatch.GetTimestamp();

    public static void Restrict(FilterCollection filters)
    {
        foreach (var (name, filter) in filters.ToArray())
        {
            if (Names.Contains(name))
                filters.AddFilter(name, Watched(filter, Multiplying.Contains(name)));
            else
                filters.Remove(name);
        }
    }

    private static FilterDelegate Watched(FilterDelegate filter, bool multiplying) => async (input, arguments, context) =>
    {
        context.IncrementSteps();
        if (context.AmbientValues.TryGetValue(Clock, out var started) && Stopwatch.GetElapsedTime((long)started) > MostTime)
            throw new LiquidException("The template takes too long.");
        if (multiplying)
            CheckProduct(input, arguments);
        var result = await filter(input, arguments, context);
        CheckSize(result);
        return result;
    };

    /// <summary>Replacing each of n characters by m, or putting m between each of n items.</summary>
    private static void CheckProduct(FluidValue input, FilterArguments arguments)
    {
        long longest = 1;
        for (var i = 0; i < arguments.Count; i++)
            longest = Math.Max(longest, LengthOf(arguments.At(i)));
        if (longest > 1 && LengthOf(input) * longest > 64L * LiquidLanguage.MostOutput)
            throw new LiquidException("A filter could give too long a text.");
    }

    private static void CheckSize(FluidValue value)
    {
        if (value is ArrayValue array && array.Values.Count > MostItems)
            throw new LiquidException($"A list has more than {MostItems:N0} items.");
        if (value is StringValue text && text.ToStringValue().Length > LiquidLanguage.MostOutput)
            throw new LiquidException($"A text has more than {LiquidLanguage.MostOutput:N0} characters.");
    }

    private static long LengthOf(FluidValue value) => value switch
    {
        ArrayValue array => array.Values.Count,
        _ => value.ToStringValue().Length,
    };
}
