using System.Text.Json.Nodes;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows.Execution;

namespace ViralEngine.Core.Workflows;

/// <summary>
/// Runs an ended workflow again from one of its steps: what came before keeps its outputs, that step and what comes after it start
/// anew, and so does whatever else had failed.
/// </summary>
public sealed class RetryWorkflow(Db db, WorkflowTurnStore store, Signals signals)
{
    public abstract record Outcome
    {
        public sealed record Restarted(int Run) : Outcome;

        public sealed record Unknown : Outcome;

        /// <summary>The definition has no such step.</summary>
        public sealed record UnknownStep : Outcome;

        public sealed record Refused(string Why) : Outcome;
    }

    public async Task<Outcome> RunAsync(TenantId tenant, Guid id, string stepId, string principal, CancellationToken ct)
    {
        await db.BeginAsync(ct);
        var outcome = await RestartAsync(tenant, id, stepId, principal, ct);
        await db.AfterCommitAsync(_ =>
        {
            signals.Publish(tenant, id);
            return Task.CompletedTask;
        }, ct);
        await db.CommitAsync(ct);
        return outcome;
    }

    private async Task<Outcome> RestartAsync(TenantId tenant, Guid id, string stepId, string principal, CancellationToken ct)
    {
        if (await store.LockAsync(tenant, id, ct) is not { } turn)
            return new Outcome.Unknown();
        if (!turn.HasEnded)
            return new Outcome.Refused($"The workflow has not ended: it is {turn.Status.ToText()}.");
        if (!turn.Definition.AllSteps.Any(step => step.Id == stepId))
            return new Outcome.UnknownStep();
        if (turn.Find(stepId) is null)
            return new Outcome.Refused("The workflow did not come to this step: retry from one that it came to.");

        var again = new HashSet<string>();
        var around = new HashSet<string>();
        Collect(turn.Definition.Steps, stepId, again, around);
        foreach (var step in turn.Steps.Values.Where(step => step.Status is StepStatus.Failed or StepStatus.Cancelled))
            again.Add(step.StepId);
        again.ExceptWith(around);
        var undone = turn.Steps.Values
            .Where(step => step.Kind == StepKind.Rollback && !again.Contains(step.StepId))
            .Select(step => step.StepId)
            .FirstOrDefault();
        if (undone is not null)
            return new Outcome.Refused($"The step '{undone}' was rolled back: retry from there or from a step before it.");

        var run = turn.Run + 1;
        var happened = new NewEvent(turn.LastEvent + 1, "workflow.retried", new JsonObject
        {
            ["status"] = WorkflowStatus.Pending.ToText(),
            ["from_step"] = stepId,
            ["run"] = run,
            ["by"] = principal,
        });
        await using var batch = db.Batch(tenant)
            .Add(
                "DELETE FROM viral.workflow_steps WHERE tenant_id = $1 AND workflow_id = $2 AND step_id = ANY ($3)",
                [tenant.Value, id, again.ToArray()])
            .Add(
                """
                UPDATE viral.workflow_steps
                SET status = 'in_progress', output = NULL, error = NULL, completed_at = NULL, completed_event = NULL
                WHERE tenant_id = $1 AND workflow_id = $2 AND step_id = ANY ($3) AND kind = 'step'
                """,
                [tenant.Value, id, around.ToArray()])
            .Add(
                """
                UPDATE viral.workflows
                SET status = 'pending', run = $3, error = NULL, ending = NULL, cancel_requested_at = NULL, completed_at = NULL,
                    check_at = now() + interval '10 seconds', updated_at = now(), last_event = $4
                WHERE tenant_id = $1 AND id = $2
                """,
                [tenant.Value, id, run, happened.Number]);
        EventWriter.AddTo(batch, tenant, id, [happened]);
        await batch.ExecuteAsync(ct);
        return new Outcome.Restarted(run);
    }

    /// <summary>
    /// The step and everything that runs after it, and the steps around it, which go on. Of steps side by side with the one it is
    /// in, none.
    /// </summary>
    private static bool Collect(IReadOnlyList<WorkflowStep> steps, string stepId, HashSet<string> again, HashSet<string> around)
    {
        for (var i = 0; i < steps.Count; i++)
        {
            var here = steps[i].Id == stepId;
            if (!here && !steps[i].Inner.Any(inner => Collect(inner, stepId, again, around)))
                continue;
            if (!here)
                around.Add(steps[i].Id);
            foreach (var after in steps.Skip(here ? i : i + 1).SelectMany(step => step.WithInner()))
                again.Add(after.Id);
            return true;
        }

        return false;
    }
}
