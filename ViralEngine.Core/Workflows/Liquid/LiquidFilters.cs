using Fluid;
using Fluid.Values;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>The allowed filters and their limits, without which a few lines could double a text forty times.</summary>
internal static class LiquidFilters
{
    private const int MaxItems = 20_000;

    /// <summary>Filters whose result may be as long as the product of their inputs.</summary>
    private static readonly HashSet<string> Multiplying = ["replace", "join"];

    /// <summary>Filters that work on text: they see a number or object as its text.</summary>
    private static readonly HashSet<string> OnTexts =
    [
        "append", "base64_decode", "base64_encode", "capitalize", "downcase", "escape", "join", "lstrip",
        "newline_to_br", "prepend", "remove", "remove_first", "replace", "replace_first", "rstrip", "sha256", "split",
        "strip", "strip_html", "strip_newlines", "truncate", "truncatewords", "upcase", "url_decode", "url_encode",
    ];

    /// <summary>Filters that calculate: they reject numbers beyond the range of Liquid's.</summary>
    private static readonly HashSet<string> Calculating =
    [
        "abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "round", "sum", "times",
    ];

    public static IReadOnlySet<string> Names { get; } = new HashSet<string>
    {
        "abs", "append", "at_least", "at_most", "base64_decode", "base64_encode", "capitalize", "ceil", "compact",
        "concat", "date", "default", "divided_by", "downcase", "escape", "first", "floor", "join", "json", "last",
        "lstrip", "map", "minus", "modulo", "newline_to_br", "plus", "prepend", "remove", "remove_first", "replace",
        "replace_first", "reverse", "round", "rstrip", "sha256", "size", "slice", "sort", "split", "strip",
        "strip_html", "strip_newlines", "sum", "times", "truncate", "truncatewords", "uniq", "upcase", "url_decode",
        "url_encode", "where",
    };

    public static void Restrict(FilterCollection filters)
    {
        foreach (var (name, filter) in filters.ToArray())
        {
            if (name == "json")
                filters.AddFilter(name, Watched(name, ToJson));
            else if (Names.Contains(name))
                filters.AddFilter(name, Watched(name, filter));
            else
                filters.Remove(name);
        }
    }

    private static FilterDelegate Watched(string name, FilterDelegate filter) => async (input, arguments, context) =>
    {
        context.IncrementSteps();
        LiquidLanguage.MeterOf(context).Charge(1 + (LiquidLanguage.SizeOf(input) / 16));
        var origins = LiquidOrigins.Of(context);
        if (Calculating.Contains(name))
            CheckNumbers(origins, input, arguments);
        if (OnTexts.Contains(name))
            (input, arguments) = (Text(origins, input), Texts(origins, arguments));
        if (Multiplying.Contains(name))
            CheckProduct(input, arguments);
        var result = await filter(input, arguments, context);
        CheckSize(result);
        return result;
    };

    private static ValueTask<FluidValue> ToJson(FluidValue input, FilterArguments arguments, TemplateContext context) =>
        new StringValue(LiquidJson.Serialize(LiquidOrigins.Of(context), input));

    private static void CheckNumbers(LiquidOrigins origins, FluidValue input, FilterArguments arguments)
    {
        IEnumerable<FluidValue> numbers = input is ArrayValue array ? array.Values : [input];
        for (var i = 0; i < arguments.Count; i++)
            numbers = numbers.Append(arguments.At(i));
        if (numbers.FirstOrDefault(origins.IsBeyond) is { } beyond)
            throw new LiquidException($"{LiquidJson.TextOf(origins, beyond)} has too many digits to calculate with.");
    }

    private static FluidValue Text(LiquidOrigins origins, FluidValue value) => value switch
    {
        // The items are joined.
        ArrayValue array => new ArrayValue(
            [.. array.Values.Select(item => item is ArrayValue ? item : Text(origins, item))]),
        _ => LiquidJson.TextOf(origins, value) is { } text ? new StringValue(text) : value,
    };

    private static FilterArguments Texts(LiquidOrigins origins, FilterArguments arguments)
    {
        var texts = new FilterArguments();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments.At(i);
            texts.Add(LiquidJson.TextOf(origins, argument) is { } text ? new StringValue(text) : argument);
        }

        return texts;
    }

    /// <summary>Limits the replacement of n characters by m each, or m between each of n items.</summary>
    private static void CheckProduct(FluidValue input, FilterArguments arguments)
    {
        long longest = 1;
        for (var i = 0; i < arguments.Count; i++)
            longest = Math.Max(longest, LengthOf(arguments.At(i)));
        if (longest > 1 && LengthOf(input) * longest > 64L * LiquidLanguage.MaxOutput)
            throw new LiquidException("The output of a filter could be too long.");
    }

    private static void CheckSize(FluidValue value)
    {
        if (value is ArrayValue array && array.Values.Count > MaxItems)
            throw new LiquidException($"A list has more than {MaxItems:N0} items.");
        if (value is StringValue text && text.ToStringValue().Length > LiquidLanguage.MaxOutput)
            throw new LiquidException($"A text has more than {LiquidLanguage.MaxOutput:N0} characters.");
    }

    private static long LengthOf(FluidValue value) => value switch
    {
        ArrayValue array => array.Values.Count,
        _ => value.ToStringValue().Length,
    };
}
