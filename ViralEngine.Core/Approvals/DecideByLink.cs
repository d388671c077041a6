namespace ViralEngine.Core.Approvals;

/// <summary>
/// Records the decision of a link, in the name of the person it was created for and with their current role. The link
/// is used up in the same transaction, which the caller begins and commits.
/// </summary>
public sealed class DecideByLink(LinkStore links, ApproverDirectory approvers, DecideGate decide)
{
    public abstract record Outcome
    {
        public sealed record Decided(DecideGate.Outcome Result, ApprovalLink Link) : Outcome;

        public sealed record UsedOrExpired : Outcome;

        /// <summary>The person the link was created for no longer exists.</summary>
        public sealed record NobodyThere : Outcome;

        /// <summary>Somebody else created the link and could have read it.</summary>
        public sealed record NotTheirs : Outcome;
    }

    public async Task<Outcome> RunAsync(LinkToken token, string? reason, CancellationToken ct)
    {
        if (await links.FindAsync(token.Tenant, token.LinkId, ct) is not { Used: false } link
            || link.Decision != token.Decision)
            return new Outcome.UsedOrExpired();
        if (await approvers.FindAsync(token.Tenant, link.Decider, ct) is not { } approver)
            return new Outcome.NobodyThere();
        if (link.CreatedBy != approver.Principal)
            return new Outcome.NotTheirs();

        // The gate first, then the link: concurrent uses wait at the workflow's lock, and the second finds the decision
        // made.
        var outcome = await decide.RunAsync(
            token.Tenant, link.WorkflowId, link.GateId, link.Run, approver, link.Decision, reason, link.CreatedBy, ct);
        if (outcome is DecideGate.Outcome.Taken)
            await links.UseAsync(token.Tenant, token.LinkId, ct);
        return new Outcome.Decided(outcome, link);
    }
}
