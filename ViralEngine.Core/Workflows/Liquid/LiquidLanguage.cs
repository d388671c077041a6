using System.Globalization;
using Fluid;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>
/// The part of Liquid that definitions may use: no tag that includes, captures or keeps a counter, no filter that can make much
/// out of little without <see cref="LiquidFilters"/> watching it, and no way to .NET objects.
/// </summary>
internal static class LiquidLanguage
{
    /// <summary>The longest text that a template may give, in characters.</summary>
    public const int MostOutput = 256 * 1024;

    private const int MostSteps = 20_000;
    private static readonly HashSet<string> Tags =
        ["if", "unless", "case", "for", "assign", "comment", "#", "raw", "break", "continue", "echo"];

    public static FluidParser Parser { get; } = CreateParser();

    public static TemplateOptions Options { get; } = CreateOptions();

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
            MaxSteps = MostSteps,
            MaxRecursion = 50,
            CultureInfo = CultureInfo.InvariantCulture,
            TimeZone = TimeZoneInfo.Utc,
        };
        LiquidFilters.Restrict(options.Filters);
        return options;
    }
}
