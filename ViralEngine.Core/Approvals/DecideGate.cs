using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows;
using ViralEngine.Core.Workflows.Execution;

namespace ViralEngine.Core.Approvals;

/// <summary>
/// Takes a decision under the lock of the workflow's row, so that it falls either before the gate's end or after it, and tells which.
/// The row is written first; the workflow is told after the commit, and looks for itself where it was not told.
/// </summary>
/// <remarks>
/// Before the gate is open: refused, as nothing was asked yet. While it is open: counted, once for each principal. From the gate's
/// time-out on, by the database's clock, and after its end: refused, whether or not the time-out was noticed before.
/// </remarks>
public sealed class DecideGate(
    Db db, WorkflowTurnStore store, GateStore gates, ApproverDirectory approvers, Signals signals)
{
    private static readonly TimeSpan CheckAfter = TimeSpan.FromSeconds(5);

    public abstract record Outcome
    {
        /// <summary>Kept and counted. <paramref name="Before"/>: it had been already, this was a repetition.</summary>
        public sealed record Taken(Gate Gate, bool Before) : Outcome;

        /// <summary>There is no such workflow, or it has no such gate.</summary>
        public sealed record Unknown : Outcome;

        /// <summary>The workflow has not come to the gate.</summary>
        public sealed record NotOpenYet : Outcome;

        public sealed record Closed(Gate Gate) : Outcome;

        /// <summary>The gate does not ask this approver.</summary>
        public sealed record NotAsked(string Why) : Outcome;

        /// <summary>The approver has decided otherwise before, and a decision is not changed.</summary>
        public sealed record DecidedAlready(Decision Decision) : Outcome;

        /// <summary>The same person has decided before with another credential: who made a key is one with its holder.</summary>
        public sealed record SamePerson(Decision Decision) : Outcome;
    }

    /// <param name="run">The run of the workflow that the question is of; null: the present one.</param>
    /// <param name="linkCreatedBy">Who made the link that is used; null: it is none.</param>
    public async Task<Outcome> RunAsync(
        TenantId tenant,
        Guid workflowId,
        string gateId,
        int? run,
        Approver approver,
        DecisionKind kind,
        string? reason,
        string? linkCreatedBy,
        CancellationToken ct)
    {
        await db.BeginAsync(ct);
        var outcome = await DecideAsync(tenant, workflowId, gateId, run, approver, kind, reason, linkCreatedBy, ct);
        await db.AfterCommitAsync(_ =>
        {
            signals.Publish(tenant, workflowId);
            return Task.CompletedTask;
        }, ct);
        await db.CommitAsync(ct);
        return outcome;
    }

    private async Task<Outcome> DecideAsync(
        TenantId tenant,
        Guid workflowId,
        string gateId,
        int? run,
        Approver approver,
        DecisionKind kind,
        string? reason,
        string? linkCreatedBy,
        CancellationToken ct)
    {
        if (await store.ReadAsync(tenant, workflowId, ct) is not { } turn
            || !turn.Definition.AllSteps.Any(step => step is ApprovalStep && step.Id == gateId))
        {
            return new Outcome.Unknown();
        }

        if (!turn.Gates.TryGetValue(gateId, out var gate) || (run is { } asked && asked != gate.Run))
        {
            return await gates.FindAsync(tenant, workflowId, gateId, ct) is { } earlier && (turn.HasEnded || run is not null)
                ? new Outcome.Closed(earlier)
                : new Outcome.NotOpenYet();
        }

        // Time first: what comes at the very moment of the time-out, or later, comes too late.
        gate.Tick(turn.Now, turn.Tell);
        var eyes = await approvers.EyesOfAsync(tenant, [approver.Principal, gate.RequestedBy], ct);
        var outcome = Judge(gate, approver, kind, eyes[0], eyes[1]);
        if (outcome is null)
        {
            var decision = new Decision(
                approver.Principal, kind, reason, linkCreatedBy is null ? "api" : "link", turn.Now, eyes[0], linkCreatedBy);
            await gates.AddDecisionAsync(tenant, gate.Id, decision, ct);
            gate.Add(decision, turn.Tell);
            outcome = new Outcome.Taken(gate, Before: false);
        }

        if (turn.Events.Count > 0 && !turn.HasEnded)
            await store.SaveAsync(tenant, turn, CheckAfter, ct);
        return outcome;
    }

    private static Outcome? Judge(Gate gate, Approver approver, DecisionKind kind, string eyes, string requesterEyes)
    {
        if (gate.Decisions.Find(each => each.Decider == approver.Principal) is { } before)
            return before.Kind == kind ? new Outcome.Taken(gate, Before: true) : new Outcome.DecidedAlready(before);
        if (!gate.IsOpen)
            return new Outcome.Closed(gate);
        if (!gate.Asks(approver.Role, approver.Names))
            return new Outcome.NotAsked("You are not an approver for this gate.");
        if (gate.ExcludeRequester && requesterEyes == eyes)
            return new Outcome.NotAsked("The person who started the workflow may not decide at this gate, nor may keys they created.");
        return gate.Decisions.Find(each => each.Eyes == eyes) is { } same ? new Outcome.SamePerson(same) : null;
    }
}
