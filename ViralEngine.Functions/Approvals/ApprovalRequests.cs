using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Approvals;

internal sealed record DecideRequest
{
    [Required]
    [Description("The caller's decision. It is final.")]
    public DecisionKind? Decision { get; init; }

    [StringLength(2000, MinimumLength = 1)]
    public string? Reason { get; init; }
}

internal sealed record ApprovalListQuery : PageQuery;

internal sealed record ApprovalPage(IReadOnlyList<GateResource> Approvals, string? NextCursor);

/// <summary>A gate with its decisions, in order.</summary>
/// <param name="GateId">The id of the approval step.</param>
/// <param name="Status">open, approved, rejected, or cancelled with its workflow.</param>
/// <param name="TimedOut">Whether the gate timed out without a decision.</param>
internal sealed record GateResource(
    Guid Id,
    Guid WorkflowId,
    string GateId,
    int Run,
    GateStatus Status,
    string Title,
    string? Message,
    IReadOnlyList<string> Roles,
    IReadOnlyList<string> Users,
    int Quorum,
    int RejectQuorum,
    bool ExcludeRequester,
    string RequestedBy,
    DateTime OpenedAt,
    DateTime? ExpiresAt,
    TimeoutAction OnTimeout,
    DateTime? EscalatedAt,
    int RemindersSent,
    DateTime? DecidedAt,
    bool TimedOut,
    IReadOnlyList<DecisionResource> Decisions)
{
    public static GateResource Of(Gate gate) => new(
        gate.Id, gate.WorkflowId, gate.GateId, gate.Run, gate.Status, gate.Title, gate.Message, gate.Roles, gate.Users,
        gate.Quorum, gate.RejectQuorum, gate.ExcludeRequester, gate.RequestedBy, gate.OpenedAt, gate.ExpiresAt,
        gate.OnTimeout, gate.EscalatedAt, gate.RemindersSent, gate.DecidedAt, gate.TimedOut,
        [.. gate.Decisions.Select(decision => new DecisionResource(
            decision.Kind, decision.Decider, decision.Reason, decision.Via, decision.DecidedAt,
            decision.LinkCreatedBy))]);
}

/// <param name="By">The principal: <c>user:…</c> or <c>api_key:…</c>.</param>
/// <param name="Via"><c>api</c> or <c>link</c>.</param>
/// <param name="LinkCreatedBy">Who created the link, for a decision by link.</param>
internal sealed record DecisionResource(
    DecisionKind Decision, string By, string? Reason, string Via, DateTime DecidedAt, string? LinkCreatedBy);
