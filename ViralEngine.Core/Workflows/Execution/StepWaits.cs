using System.Text.Json.Nodes;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Texts;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>The number of people with these roles and names, except one.</summary>
internal delegate Task<int> CountApproversAsync(IEnumerable<string> roles, IEnumerable<string> users, string? except);

/// <summary>Opens gates and delays, and checks whether they are over.</summary>
internal sealed class StepWaits(WorkflowTurn turn, StepValues values, CountApproversAsync countApproversAsync)
{
    public async Task OpenAsync(StepRun step, ApprovalStep approval)
    {
        try
        {
            var seen = await values.ForAsync([approval.Title, approval.Message]);
            var title = await approval.Title.RenderAsync(seen);
            var gate = new Gate
            {
                Id = RowId.New(),
                WorkflowId = turn.WorkflowId,
                GateId = approval.Id,
                Run = turn.Run,
                Title = OutsideText.Cut(title, 1000),
                Message = approval.Message is null ? null : await approval.Message.RenderAsync(seen),
                Roles = approval.Approvers.Roles,
                Users = approval.Approvers.Users,
                Quorum = approval.Quorum,
                RejectQuorum = approval.RejectQuorum,
                ExcludeRequester = approval.ExcludeRequester,
                RequestedBy = turn.CreatedBy,
                OpenedAt = turn.Now,
                Status = GateStatus.Open,
                ExpiresAt = approval.TimeoutSeconds is { } seconds ? turn.Now.AddSeconds(seconds) : null,
                OnTimeout = approval.OnTimeout,
                Escalation = approval.Escalation,
                ReminderSeconds = approval.ReminderSeconds,
                NextReminderAt = approval.ReminderSeconds is { } every ? turn.Now.AddSeconds(every) : null,
                Decisions = [],
                IsNew = true,
                Changed = true,
            };
            if (await WhyNobodyOpensAsync(gate) is { } why)
            {
                turn.Fail(step, new StepError("nobody_to_decide", why, step.StepId));
                return;
            }

            turn.Gates[approval.Id] = gate;
            turn.Tell(EventTypes.ApprovalRequested, gate.Told(
                ("roles", Gate.Texts(gate.Roles)), ("users", Gate.Texts(gate.Users)), ("quorum", gate.Quorum),
                ("expires_at", gate.ExpiresAt), ("requested_by", gate.RequestedBy)));
        }
        catch (LiquidException e)
        {
            turn.Fail(step, new StepError("template", e.Message, step.StepId));
        }
    }

    /// <summary>
    /// An error if too few people can approve a gate; null if enough can, or if a time-out approves it.
    /// </summary>
    private async Task<string?> WhyNobodyOpensAsync(Gate gate)
    {
        if ((gate.ExpiresAt is not null && gate.OnTimeout == TimeoutAction.Approve)
            || gate.Escalation?.OnTimeout == TimeoutAction.Approve)
            return null;
        var roles = gate.Roles.Concat(gate.Escalation?.Roles ?? []).Distinct();
        var users = gate.Users.Concat(gate.Escalation?.Users ?? []).Distinct();
        var there = await countApproversAsync(roles, users, gate.ExcludeRequester ? gate.RequestedBy : null);
        return there >= gate.Quorum
            ? null
            : $"The gate needs {gate.Quorum} approvals and has {there} possible approvers. "
                + "A key counts as the same person as whoever created it"
                + $"{(gate.ExcludeRequester ? ", and who started the workflow may not decide" : "")}.";
    }

    public void Settle(StepRun step, ApprovalStep approval)
    {
        var gate = turn.Gates[approval.Id];
        gate.Tick(turn.Now, turn.Tell);
        if (gate.Status == GateStatus.Approved || (gate.Status == GateStatus.Rejected && approval.ContinueOnReject))
            turn.Complete(step, OutputOf(gate).ToJsonString());
        else if (gate.Status == GateStatus.Rejected)
            turn.Fail(step, new StepError("rejected", ReasonOf(gate), step.StepId));
    }

    public async Task OpenAsync(StepRun step, DelayStep delay)
    {
        try
        {
            step.DueAt = delay.Seconds is { } seconds ? turn.Now.AddSeconds(seconds) : await UntilAsync(delay.Until!);
        }
        catch (LiquidException e)
        {
            turn.Fail(step, new StepError("template", e.Message, step.StepId));
        }
    }

    public void Settle(StepRun step)
    {
        if (step.DueAt <= turn.Now)
            turn.Complete(step, null);
    }

    private async Task<DateTime> UntilAsync(LiquidText until)
    {
        var text = await until.RenderAsync(await values.ForAsync([until]));
        if (!DelayTime.TryParse(text, out var time))
            throw new LiquidException($"until: {DelayTime.Rule}");
        return time > turn.Now.AddDays(366) ? throw new LiquidException("until: Must be at most a year ahead.") : time;
    }

    private static string ReasonOf(Gate gate)
    {
        if (gate.TimedOut)
            return "The gate timed out without a decision.";
        var reject = gate.Decisions.Last(decision => decision.Kind == DecisionKind.Reject);
        return $"Rejected by {reject.Decider}{(reject.Reason is null ? "." : $": {reject.Reason}")}";
    }

    private static JsonObject OutputOf(Gate gate) => new()
    {
        ["decision"] = gate.Status.ToText(),
        ["timed_out"] = gate.TimedOut,
        ["decisions"] = new JsonArray([.. gate.Decisions.Select(decision => (JsonNode)new JsonObject
        {
            ["decision"] = decision.Kind.ToText(), ["by"] = decision.Decider, ["reason"] = decision.Reason,
            ["at"] = decision.DecidedAt,
        })]),
    };
}
