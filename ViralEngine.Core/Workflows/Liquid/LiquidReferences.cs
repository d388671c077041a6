using Fluid.Ast;
using Fluid.Values;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>Walks a parsed template: collects the steps it names, and finds invalid references.</summary>
internal sealed class LiquidReferences : AstVisitor
{
    private const int MaxRange = 1000;
    private readonly HashSet<string> steps = [];

    public IReadOnlySet<string> Steps => steps;

    public string? Fault { get; private set; }

    protected override Expression VisitFilterExpression(FilterExpression filterExpression)
    {
        if (!LiquidFilters.Names.Contains(filterExpression.Name))
            Fault ??= $"Unknown filter: {filterExpression.Name}.";
        return base.VisitFilterExpression(filterExpression);
    }

    protected override Expression VisitMemberExpression(MemberExpression memberExpression)
    {
        foreach (var indexer in memberExpression.Segments.OfType<IndexerSegment>())
            Visit(indexer.Expression);
        if (memberExpression.Segments is [IdentifierSegment { Identifier: "steps" }, ..])
            CheckStep([.. memberExpression.Segments.Skip(1)]);
        return base.VisitMemberExpression(memberExpression);
    }

    protected override Expression VisitRangeExpression(RangeExpression rangeExpression)
    {
        if (Literal(rangeExpression.From) is not { } from || Literal(rangeExpression.To) is not { } to
            || to - from is < 0 or > MaxRange || Math.Abs(from) > int.MaxValue / 2)
        {
            Fault ??= $"A range must have two numbers, at most {MaxRange:N0} apart.";
        }

        return base.VisitRangeExpression(rangeExpression);
    }

    // References must be static, so that they can be checked in advance and only used values are loaded.
    private void CheckStep(MemberSegment[] path)
    {
        if (path.Length < 2 || NameOf(path[0]) is not { } step)
            Fault ??= "Must name a step and its value: steps.<id>.output or steps.<id>.status.";
        else if (NameOf(path[1]) is not ("output" or "status"))
            Fault ??= $"A step has only output and status: use steps.{step}.output.";
        else
            steps.Add(step);
    }

    private static string? NameOf(MemberSegment segment) => segment switch
    {
        IdentifierSegment identifier => identifier.Identifier,
        IndexerSegment { Expression: LiteralExpression { Value: StringValue text } } => text.ToStringValue(),
        _ => null,
    };

    private static decimal? Literal(Expression expression) =>
        expression is LiteralExpression { Value: NumberValue number } ? number.ToNumberValue() : null;
}
