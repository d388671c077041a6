using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows;
using ViralEngine.Core.Workflows.Execution;

namespace ViralEngine.Core.Approvals;

/// <summary>
/// Records a decision under the lock of the workflow's row, so that it is either before or after the gate's end. The
/// workflow is notified after the commit; if that fails, a sweep does.
/// </summary>
/// <remarks>
/// Before the gate opens: rejected. While it is open: counted, once per principal. From the gate's time-out on, by the
/// database's clock, and after its end: rejected, whether or not the time-out was processed before.
/// </remarks>
public sealed class DecideGate(
    Db db, WorkflowTurnStore store, GateStore gates, ApproverDirectory approvers, Signals signals)
{
    private static readonly TimeSpan CheckAfter = TimeSpan.FromSeconds(5);

    public abstract record Outcome
    {
        /// <summary>
        /// Recorded and counted. <paramref name="Before"/>: it was a repetition of an earlier request.
        /// </summary>
        public sealed record Taken(Gate Gate, bool Before) : Outcome;

        /// <summary>The workflow does not exist or has no such gate.</summary>
        public sealed record Unknown : Outcome;

        /// <summary>The workflow has not reached the gate.</summary>
        public sealed record NotOpenYet : Outcome;

        public sealed record Closed(Gate Gate) : Outcome;

        /// <summary>The caller is not an approver for this gate.</summary>
        public sealed record NotAsked(string Why) : Outcome;

        /// <summary>The approver has already decided differently. A decision is final.</summary>
        public sealed record DecidedAlready(Decision Decision) : Outcome;

        /// <summary>
        /// The same person has already decided with another credential: a key and its creator count as one.
        /// </summary>
        public sealed record SamePerson(Decision Decision) : Outcome;
    }

    /// <param name="run">The run of the workflow that the gate belongs to; null for the current one.</param>
    /// <param name="linkCreatedBy">The creator of the link used; null without a link.</param>
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
            return await gates.FindAsync(tenant, workflowId, gateId, ct) is { } earlier
                && (turn.HasEnded || run is not null)
                ? new Outcome.Closed(earlier)
                : new Outcome.NotOpenYet();
        }

        // Process time first: a decision at the moment of the time-out is too late.
        gate.Tick(turn.Now, turn.Tell);
        var eyes = await approvers.EyesOfAsync(tenant, [approver.Principal, gate.RequestedBy], ct);
        var outcome = Judge(gate, approver, kind, eyes[0], eyes[1]);
        if (outcome is null)
        {
            var decision = new Decision(
                approver.Principal, kind, reason, linkCreatedBy is null ? "api" : "link", turn.Now, eyes[0],
                linkCreatedBy);
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
            return new Outcome.NotAsked(
                "The person who started the workflow may not decide at this gate, nor may keys they created.");
        return gate.Decisions.Find(each => each.Eyes == eyes) is { } same ? new Outcome.SamePerson(same) : null;
    }
}
