using ViralEngine.Core.Workflows;

namespace ViralEngine.Console.Workflows;

/// <summary>A workflow with its picture.</summary>
public sealed record WorkflowView(Workflow Workflow, WorkflowGraph Graph)
{
    /// <summary>The events after which the picture is drawn again.</summary>
    public const string Events =
        "workflow.started workflow.waiting workflow.step_started workflow.step_retrying workflow.step_failed "
        + "workflow.step_completed workflow.step_cancelled workflow.rolling_back workflow.rolled_back "
        + "workflow.rollback_started workflow.rollback_failed workflow.rollback_completed workflow.retried "
        + "workflow.cancel_requested workflow.completed workflow.failed workflow.cancelled "
        + "approval.requested approval.decided approval.expired approval.escalated";

    /// <summary>The pages of steps that have one: gates and tasks.</summary>
    public IReadOnlyDictionary<string, string> Addresses => field ??= FindAddresses();

    public IReadOnlyList<WorkflowStepState> Steps => Workflow.Steps ?? [];

    private Dictionary<string, string> FindAddresses()
    {
        var gates = Graph.Nodes.Where(node => node.Type == "approval").Select(node => node.Id).ToHashSet();
        var found = new Dictionary<string, string>();
        foreach (var step in Steps.Where(step => step.Kind == StepKind.Step))
        {
            if (gates.Contains(step.Id))
                found[step.Id] = $"/console/approvals/{Workflow.Id}/{Uri.EscapeDataString(step.Id)}";
            else if (step.TaskId is { } task)
                found[step.Id] = $"/console/tasks/{task}";
        }

        return found;
    }
}
