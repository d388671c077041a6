using Fluid;
using Fluid.Ast;
using Fluid.Parser;
using Fluid.Values;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>
/// A parsed and validated Liquid template of a definition. It can access only the workflow's own data, and its cost is
/// limited.
/// </summary>
public sealed class LiquidText
{
    public const int MaxCharacters = 20_000;

    private readonly IFluidTemplate template;
    private readonly Expression? alone;

    private LiquidText(string source, IFluidTemplate template, LiquidReferences references)
    {
        Source = source;
        Steps = references.Steps;
        var rewriter = new LiquidRewriter();
        this.template = rewriter.VisitTemplate(template);
        alone = template is FluidTemplate { Statements: [OutputStatement only] }
            ? rewriter.Visit(only.Expression)
            : null;
    }

    public string Source { get; }

    /// <summary>The steps whose values it uses.</summary>
    public IReadOnlySet<string> Steps { get; }

    /// <summary>Whether it does not depend on values.</summary>
    public bool IsConstant =>
        !Source.Contains("{{", StringComparison.Ordinal) && !Source.Contains("{%", StringComparison.Ordinal);

    /// <summary>Parses and checks a text.</summary>
    /// <param name="fault">The error message, if it is not valid.</param>
    public static LiquidText? TryParse(string source, out string? fault)
    {
        fault = LiquidLimits.Check(source);
        if (fault is not null)
            return null;
        if (!LiquidLanguage.Parser.TryParse(source, out var template, out var error))
        {
            fault = $"Must be valid Liquid: {error.ReplaceLineEndings(" ").Trim()}";
            return null;
        }

        var references = new LiquidReferences();
        references.VisitTemplate(template);
        fault = references.Fault;
        return fault is null ? new LiquidText(source, template, references) : null;
    }

    /// <summary>Renders the text.</summary>
    /// <exception cref="LiquidException">It cannot be rendered with these values, or exceeds a limit.</exception>
    public async Task<string> RenderAsync(LiquidValues values)
    {
        if (IsConstant)
            return OutsideText.Of(Source);
        using var writer = new BoundedWriter(LiquidLanguage.MaxOutput);
        await GuardAsync(
            values, async () => await template.RenderAsync(writer, NullEncoder.Default, values.NewContext()));
        return OutsideText.Of(writer.ToString());
    }

    /// <summary>
    /// The value: if the text is a single output (<c>{{ steps.a.output }}</c>), its JSON as received, else a string.
    /// </summary>
    /// <exception cref="LiquidException">As for <see cref="RenderAsync"/>.</exception>
    public async Task<FluidValue> EvaluateAsync(LiquidValues values)
    {
        if (alone is not null)
        {
            FluidValue value = NilValue.Instance;
            await GuardAsync(values, async () => value = await alone.EvaluateAsync(values.NewContext()));
            return value;
        }

        return new StringValue(await RenderAsync(values));
    }

    private static async Task GuardAsync(LiquidValues values, Func<Task> work)
    {
        try
        {
            using (values.Meter.Run())
                await work();
        }
        catch (Exception e) when (e is not LiquidException and not OutOfMemoryException)
        {
            // Any error is the template's own and is reported to the user.
            throw new LiquidException(OutsideText.Of(e.Message));
        }
    }
}

/// <summary>A template cannot be rendered; the message is for the user.</summary>
public sealed class LiquidException(string message) : Exception(message);
