namespace ViralEngine.Core.Workflows;

/// <summary>A workflow as nodes and edges, with the state of each step.</summary>
public sealed record WorkflowGraph(IReadOnlyList<GraphNode> Nodes, IReadOnlyList<GraphEdge> Edges)
{
    public const string Start = "__start";
    public const string End = "__end";

    public static WorkflowGraph Of(WorkflowDefinition definition, Workflow workflow)
    {
        var drawing = new GraphDrawing(workflow.Steps ?? []);
        drawing.Add(new GraphNode(Start, "start", "start", "completed", null));
        var last = drawing.Draw(definition.Steps, [(Start, null)]);
        drawing.Add(
            new GraphNode(End, "end", "end", workflow.Status.HasEnded() ? workflow.Status.ToText() : "pending", null));
        drawing.Join(last, End);
        return new WorkflowGraph(drawing.Nodes, drawing.Edges);
    }
}

/// <param name="Type">The step's type; <c>start</c>, <c>end</c>, or <c>join</c> where branches meet;
/// <c>rollback</c>.</param>
/// <param name="Status">The step's status, or <c>pending</c> if it was not reached.</param>
public sealed record GraphNode(string Id, string Type, string Label, string Status, int? Attempt);

public sealed record GraphEdge(string From, string To, string? Label);

internal sealed class GraphDrawing(IReadOnlyList<WorkflowStepState> states)
{
    private readonly Dictionary<(string, StepKind), WorkflowStepState> states = states.ToDictionary(
        state => (state.Id, state.Kind));

    public List<GraphNode> Nodes { get; } = [];

    public List<GraphEdge> Edges { get; } = [];

    public void Add(GraphNode node) => Nodes.Add(node);

    public void Join(List<(string From, string? Label)> open, string to)
    {
        foreach (var (from, label) in open)
            Edges.Add(new GraphEdge(from, to, label));
    }

    /// <summary>Draws a sequence after the given open ends and returns its own open ends.</summary>
    public List<(string From, string? Label)> Draw(
        IReadOnlyList<WorkflowStep> steps, List<(string From, string? Label)> open)
    {
        foreach (var step in steps)
        {
            var state = states.GetValueOrDefault((step.Id, StepKind.Step));
            Add(new GraphNode(
                step.Id, step.Type, step.Name ?? step.Id, state?.Status.ToText() ?? "pending", state?.Attempt));
            Join(open, step.Id);
            open = DrawInner(step, [(step.Id, null)]);
            if (states.GetValueOrDefault((step.Id, StepKind.Rollback)) is { } undo)
            {
                var id = $"{step.Id}__rollback";
                Add(new GraphNode(
                    id, "rollback", $"roll back {step.Name ?? step.Id}", undo.Status.ToText(), undo.Attempt));
                Edges.Add(new GraphEdge(step.Id, id, "rollback"));
            }
        }

        return open;
    }

    private List<(string From, string? Label)> DrawInner(WorkflowStep step, List<(string From, string? Label)> open)
    {
        switch (step)
        {
            case ParallelStep parallel:
                var ends = parallel.Branches.SelectMany(branch => Draw(branch.Steps, [(step.Id, branch.Name)]))
                    .ToList();
                var join = $"{step.Id}__join";
                var joined = states.GetValueOrDefault((step.Id, StepKind.Step))?.Status is { } status
                    && status.HasEnded();
                Add(new GraphNode(join, "join", "join", joined ? "completed" : "pending", null));
                Join(ends, join);
                return [(join, null)];
            case ChoiceStep choice:
                return [.. choice.Inner.SelectMany((branch, index) => Draw(branch, [(step.Id, choice.NameOf(index))]))];
            default:
                return open;
        }
    }
}
