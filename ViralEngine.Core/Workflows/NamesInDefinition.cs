namespace ViralEngine.Core.Workflows;

/// <summary>The agents, members and keys that a definition names, with their paths: <c>steps[2].agent_id</c>.</summary>
public static class NamesInDefinition
{
    /// <summary>The agents named literally; those from templates are known only at run time.</summary>
    public static IEnumerable<(string Path, string Name)> Agents(WorkflowDefinition definition)
    {
        foreach (var step in definition.AllSteps)
        {
            if (step is ActionStep { Action: TaskAction { AgentId.IsConstant: true } task })
                yield return ($"{step.Path}.agent_id", task.AgentId.Source);
            if (step.Rollback is TaskAction { AgentId.IsConstant: true } undo)
                yield return ($"{step.Path}.rollback.agent_id", undo.AgentId.Source);
        }
    }

    /// <summary>The members and keys that gates name as approvers.</summary>
    public static IEnumerable<(string Path, string Name)> Users(WorkflowDefinition definition)
    {
        foreach (var gate in definition.AllSteps.OfType<ApprovalStep>())
        {
            foreach (var (index, user) in gate.Approvers.Users.Index())
                yield return ($"{gate.Path}.approvers.users[{index}]", user);
            foreach (var (index, user) in (gate.Escalation?.Users ?? []).Index())
                yield return ($"{gate.Path}.escalation.users[{index}]", user);
        }
    }
}
