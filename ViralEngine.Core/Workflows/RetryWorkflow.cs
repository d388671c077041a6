using System.Text.Json.Nodes;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows.Execution;

namespace ViralEngine.Core.Workflows;

/// <summary>
/// Retries a failed or cancelled workflow from one of its steps: earlier steps keep their outputs; that step, later
/// ones and any other failed ones start over. An approval covers one run of the steps behind its gate: if one of them
/// has run, the gate opens again. A completed workflow cannot be retried.
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

    private async Task<Outcome> RestartAsync(
        TenantId tenant, Guid id, string stepId, string principal, CancellationToken ct)
    {
        if (await store.ReadAsync(tenant, id, ct) is not { } turn)
            return new Outcome.Unknown();
        if (!turn.HasEnded)
            return new Outcome.Refused($"The workflow has not ended: it is {turn.Status.ToText()}.");
        if (turn.Status == WorkflowStatus.Completed)
            return new Outcome.Refused("A completed workflow cannot be retried: start a new one.");
        if (!turn.Definition.AllSteps.Any(step => step.Id == stepId))
            return new Outcome.UnknownStep();
        if (turn.Find(stepId) is null)
            return new Outcome.Refused("The workflow did not reach this step: retry from a step that it reached.");

        var again = new HashSet<string>();
        var around = new HashSet<string>();
        Collect(turn.Definition.Steps, stepId, again, around);
        foreach (var step in turn.Steps.Values.Where(step => step.Status is StepStatus.Failed or StepStatus.Cancelled))
            again.Add(step.StepId);
        again.ExceptWith(around);
        AskAgain(turn, again, around);
        var undone = turn.Steps.Values
            .Where(step => step.Kind == StepKind.Rollback && !again.Contains(step.StepId))
            .Select(step => step.StepId)
            .FirstOrDefault();
        if (undone is not null)
            return new Outcome.Refused(
                $"The step '{undone}' was rolled back: retry from there or from a step before it.");

        var run = turn.Run + 1;
        var happened = new NewEvent(turn.LastEvent + 1, EventTypes.WorkflowRetried, new JsonObject
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
                SET status = 'pending', run = $3, error = NULL, ending = NULL, cancel_requested_at = NULL,
                    completed_at = NULL,
                    check_at = now() + interval '10 seconds', updated_at = now(), last_event = $4,
                    revision = revision + 1, faults = 0
                WHERE tenant_id = $1 AND id = $2
                """,
                [tenant.Value, id, run, happened.Number]);
        EventWriter.AddTo(batch, tenant, id, [happened]);
        await batch.ExecuteAsync(ct);
        return new Outcome.Restarted(run);
    }

    /// <summary>Reopens the gates before calls that were already made and will be repeated.</summary>
    private static void AskAgain(WorkflowTurn turn, HashSet<string> again, HashSet<string> around)
    {
        var called = turn.Definition.AllSteps
            .Where(step => step is ActionStep && again.Contains(step.Id) && turn.Find(step.Id) is not null)
            .Select(step => step.Id)
            .ToList();
        foreach (var gate in called.SelectMany(id => GatesBefore(turn.Definition.Steps, id)).DistinctBy(
            gate => gate.Id))
        {
            if (again.Contains(gate.Id) || turn.Find(gate.Id) is null)
                continue;
            again.Add(gate.Id);
            around.UnionWith(turn.Definition.AllSteps
                .Where(step => step.Id != gate.Id && !again.Contains(step.Id) && step.WithInner().Any(
                    inner => inner.Id == gate.Id))
                .Select(step => step.Id));
        }
    }

    /// <summary>The gates on the way to a step, excluding parallel branches.</summary>
    private static IEnumerable<ApprovalStep> GatesBefore(IReadOnlyList<WorkflowStep> steps, string id)
    {
        for (var i = 0; i < steps.Count; i++)
        {
            if (!steps[i].WithInner().Any(inner => inner.Id == id))
                continue;
            return steps.Take(i).SelectMany(step => step.WithInner()).OfType<ApprovalStep>()
                .Concat(steps[i].Inner.SelectMany(inner => GatesBefore(inner, id)));
        }

        return [];
    }

    /// <summary>Collects the step, everything after it, and the steps around it. Excludes parallel branches.</summary>
    private static bool Collect(
        IReadOnlyList<WorkflowStep> steps, string stepId, HashSet<string> again, HashSet<string> around)
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
