using System.Text.Json.Nodes;
using ViralEngine.Core.Events;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Workflows;

namespace ViralEngine.Core.Approvals;

/// <summary>
/// An open or closed gate and the rules by which it closes: exactly once, in whatever order decisions arrive. Read and
/// changed under the lock of its workflow's row; the time is the database's, read after the lock was taken.
/// </summary>
public sealed class Gate
{
    public const int MaxReminders = 20;

    public required Guid Id { get; init; }

    public required Guid WorkflowId { get; init; }

    /// <summary>The step's id.</summary>
    public required string GateId { get; init; }

    public required int Run { get; init; }

    public required string Title { get; init; }

    public required string? Message { get; init; }

    public required IReadOnlyList<string> Roles { get; set; }

    public required IReadOnlyList<string> Users { get; set; }

    public required int Quorum { get; init; }

    public required int RejectQuorum { get; init; }

    public required bool ExcludeRequester { get; init; }

    public required string RequestedBy { get; init; }

    public required DateTime OpenedAt { get; init; }

    public required GateStatus Status { get; set; }

    public DateTime? ExpiresAt { get; set; }

    public TimeoutAction OnTimeout { get; set; }

    public Escalation? Escalation { get; set; }

    public DateTime? EscalatedAt { get; set; }

    public int? ReminderSeconds { get; init; }

    public DateTime? NextReminderAt { get; set; }

    public int RemindersSent { get; set; }

    public DateTime? DecidedAt { get; set; }

    /// <summary>Whether the gate timed out: the outcome is its timeout action.</summary>
    public bool TimedOut { get; set; }

    public required List<Decision> Decisions { get; init; }

    /// <summary>Whether the gate must be stored.</summary>
    public bool Changed { get; set; }

    public bool IsNew { get; init; }

    public bool IsOpen => Status == GateStatus.Open;

    /// <summary>The next reminder or time-out.</summary>
    public DateTime? NextTick => IsOpen ? Earlier(ExpiresAt, NextReminderAt) : null;

    /// <summary>Reminds, escalates or closes if due, and reports it to <paramref name="tell"/>.</summary>
    public void Tick(DateTime now, Action<string, JsonObject> tell)
    {
        // An escalation may also have timed out by now.
        while (IsOpen && ExpiresAt <= now)
            TimeOut(now, tell);
        if (IsOpen && NextReminderAt <= now)
        {
            RemindersSent++;
            NextReminderAt = RemindersSent < MaxReminders ? now.AddSeconds(ReminderSeconds!.Value) : null;
            Changed = true;
            tell(
                EventTypes.ApprovalReminder,
                Told(("roles", Texts(Roles)), ("users", Texts(Users)), ("reminder", RemindersSent)));
        }
    }

    /// <summary>Whether the caller is an approver for this gate.</summary>
    public bool Asks(Role role, IReadOnlyCollection<string> names) =>
        (role is not Role.None && Roles.Contains(role.ToText())) || Users.Any(names.Contains);

    /// <summary>Adds a decision, and closes the gate if the quorum is reached.</summary>
    public void Add(Decision decision, Action<string, JsonObject> tell)
    {
        Decisions.Add(decision);
        var same = Decisions.Count(each => each.Kind == decision.Kind);
        if (same >= (decision.Kind == DecisionKind.Approve ? Quorum : RejectQuorum))
            Close(
                decision.Kind == DecisionKind.Approve ? GateStatus.Approved : GateStatus.Rejected, decision.DecidedAt);
        tell(EventTypes.ApprovalDecided, Told(
            ("decision", decision.Kind.ToText()), ("by", decision.Decider), ("reason", decision.Reason),
            ("via", decision.Via),
            ("link_created_by", decision.LinkCreatedBy), ("outcome", Status.ToText())));
    }

    public void Cancel(DateTime now) => Close(GateStatus.Cancelled, now);

    /// <summary>The gate's data for events and outputs.</summary>
    public JsonObject Told(params (string Name, JsonNode? Value)[] more)
    {
        var told = new JsonObject { ["gate_id"] = GateId, ["title"] = Title };
        foreach (var (name, value) in more)
            told[name] = value;
        return told;
    }

    public static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    private void TimeOut(DateTime now, Action<string, JsonObject> tell)
    {
        Changed = true;
        if (OnTimeout == TimeoutAction.Escalate)
        {
            var next = Escalation!;
            (Roles, Users) = (next.Roles, next.Users);
            (ExpiresAt, OnTimeout) = (ExpiresAt!.Value.AddSeconds(next.TimeoutSeconds), next.OnTimeout);
            (Escalation, EscalatedAt) = (null, now);
            tell(
                EventTypes.ApprovalEscalated,
                Told(("roles", Texts(Roles)), ("users", Texts(Users)), ("expires_at", ExpiresAt)));
            return;
        }

        TimedOut = true;
        Close(OnTimeout == TimeoutAction.Approve ? GateStatus.Approved : GateStatus.Rejected, now);
        tell(EventTypes.ApprovalExpired, Told(("outcome", Status.ToText())));
    }

    private void Close(GateStatus status, DateTime now)
    {
        if (!IsOpen)
            return;
        Status = status;
        DecidedAt = now;
        NextReminderAt = null;
        Changed = true;
    }

    private static DateTime? Earlier(DateTime? a, DateTime? b) => a is null ? b : b is null || a < b ? a : b;
}

/// <summary>One approver's decision. Never changed.</summary>
/// <param name="Decider">A principal: <c>user:…</c> or <c>api_key:…</c>.</param>
/// <param name="Via"><c>api</c> or <c>link</c>.</param>
/// <param name="Eyes">The person behind the principal: a key and its creator count as one.</param>
/// <param name="LinkCreatedBy">Who created the link, for a decision by link.</param>
public sealed record Decision(
    string Decider, DecisionKind Kind, string? Reason, string Via, DateTime DecidedAt, string Eyes,
    string? LinkCreatedBy);

public enum GateStatus
{
    Open,
    Approved,
    Rejected,
    Cancelled,
}

public enum DecisionKind
{
    Approve,
    Reject,
}

public static class GateWords
{
    public static string ToText(this GateStatus status) => status switch
    {
        GateStatus.Open => "open",
        GateStatus.Approved => "approved",
        GateStatus.Rejected => "rejected",
        GateStatus.Cancelled => "cancelled",
    };

    public static GateStatus ParseStatus(string text) => text switch
    {
        "open" => GateStatus.Open,
        "approved" => GateStatus.Approved,
        "rejected" => GateStatus.Rejected,
        _ => GateStatus.Cancelled,
    };

    public static string ToText(this DecisionKind kind) => kind == DecisionKind.Approve ? "approve" : "reject";

    public static DecisionKind ParseDecision(string text) =>
        text == "approve" ? DecisionKind.Approve : DecisionKind.Reject;

    public static string ToText(this TimeoutAction action) => action switch
    {
        TimeoutAction.Approve => "approve",
        TimeoutAction.Escalate => "escalate",
        TimeoutAction.Reject => "reject",
    };

    public static TimeoutAction ParseTimeout(string text) => text switch
    {
        "approve" => TimeoutAction.Approve,
        "escalate" => TimeoutAction.Escalate,
        _ => TimeoutAction.Reject,
    };
}
