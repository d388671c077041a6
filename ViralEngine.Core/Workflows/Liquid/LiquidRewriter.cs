using System.Text.Encodings.Web;
using Fluid;
using Fluid.Ast;
using Fluid.Values;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>
/// Inserts the meter before every statement and comparison of a parsed template, and makes outputs write JSON as it was
/// received.
/// </summary>
internal sealed class LiquidRewriter : AstRewriter
{
    // Branches, which their statements look up by type. Their contents are metered.
    public override Statement Visit(Statement statement) => base.Visit(statement) switch
    {
        null => null!,
        var branch and (ElseStatement or ElseIfStatement or WhenStatement) => branch,
        ForStatement loop => new MeteredLoop(loop),
        var rewritten => new Metered(rewritten),
    };

    public override Expression Visit(Expression expression)
    {
        var rewritten = base.Visit(expression);
        return rewritten is BinaryExpression comparison ? new MeteredComparison(comparison) : rewritten;
    }

    protected override Statement VisitOutputStatement(OutputStatement outputStatement) =>
        new ExactOutput(Visit(outputStatement.Expression));

    private sealed class Metered(Statement statement) : Statement
    {
        public override ValueTask<Completion> WriteToAsync(
            TextWriter writer, TextEncoder encoder, TemplateContext context)
        {
            LiquidLanguage.MeterOf(context).Charge();
            return statement.WriteToAsync(writer, encoder, context);
        }
    }

    /// <summary>A loop copies its items before it starts.</summary>
    private sealed class MeteredLoop(ForStatement loop) : Statement
    {
        public override async ValueTask<Completion> WriteToAsync(
            TextWriter writer, TextEncoder encoder, TemplateContext context)
        {
            var source = await loop.Source.EvaluateAsync(context);
            LiquidLanguage.MeterOf(context).Charge(1 + LiquidLanguage.SizeOf(source));
            return await loop.WriteToAsync(writer, encoder, context);
        }
    }

    private sealed class MeteredComparison(BinaryExpression comparison) : Expression
    {
        public override ValueTask<FluidValue> EvaluateAsync(TemplateContext context)
        {
            LiquidLanguage.MeterOf(context).Charge();
            return comparison.EvaluateAsync(context);
        }
    }

    private sealed class ExactOutput(Expression expression) : Statement
    {
        public override async ValueTask<Completion> WriteToAsync(
            TextWriter writer, TextEncoder encoder, TemplateContext context)
        {
            var value = await expression.EvaluateAsync(context);
            if (LiquidJson.TextOf(LiquidOrigins.Of(context), value) is { } text)
                await writer.WriteAsync(text);
            else
                await value.WriteToAsync(writer, encoder, context.CultureInfo);
            return Completion.Normal;
        }
    }
}
