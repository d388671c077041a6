using System.Globalization;
using Fluid;
using Fluid.Values;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>
/// The subset of Liquid for definitions: no tags that include, capture or count, no unbounded filters (<see
/// cref="LiquidFilters"/>), and no access to .NET objects.
/// </summary>
internal static class LiquidLanguage
{
    /// <summary>The maximum output of a template, in characters.</summary>
    public const int MaxOutput = 256 * 1024;

    private const int MaxSteps = 20_000;
    private const string Meter = "meter";
    private static readonly HashSet<string> Tags =
        ["if", "unless", "case", "for", "assign", "comment", "#", "raw", "break", "continue", "echo"];

    public static FluidParser Parser { get; } = CreateParser();

    public static TemplateOptions Options { get; } = CreateOptions();

    public static LiquidMeter MeterOf(TemplateContext context) => (LiquidMeter)context.AmbientValues[Meter];

    public static TemplateContext NewContext(LiquidMeter meter, LiquidOrigins origins)
    {
        var context = new TemplateContext(Options);
        context.AmbientValues[Meter] = meter;
        origins.Enter(context);
        return context;
    }

    /// <summary>The cost of iterating a value once.</summary>
    public static long SizeOf(FluidValue value) => value switch
    {
        ArrayValue array => array.Values.Count,
        DictionaryValue when value.ToObjectValue() is IFluidIndexable members => members.Count,
        StringValue text => text.ToStringValue().Length,
        _ => 1,
    };

    private static FluidParser CreateParser()
    {
        var parser = new FluidParser(new FluidParserOptions { AllowFunctions = false, AllowParentheses = false });
        foreach (var tag in parser.RegisteredTags.Keys.Where(tag => !Tags.Contains(tag)).ToArray())
            parser.RegisteredTags.Remove(tag);
        return parser;
    }

    private static TemplateOptions CreateOptions()
    {
        var options = new TemplateOptions
        {
            MaxSteps = MaxSteps,
            MaxRecursion = 50,
            CultureInfo = CultureInfo.InvariantCulture,
            TimeZone = TimeZoneInfo.Utc,
        };
        LiquidFilters.Restrict(options.Filters);
        return options;
    }
}
