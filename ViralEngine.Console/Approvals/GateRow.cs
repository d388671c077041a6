namespace ViralEngine.Console.Approvals;

/// <summary>A waiting gate for lists.</summary>
public sealed record GateRow(
    Guid WorkflowId, string GateId, string Title, string RequestedBy, DateTime OpenedAt, DateTime? ExpiresAt,
    int Decisions, int Quorum)
{
    public string Address => $"/console/approvals/{WorkflowId}/{Uri.EscapeDataString(GateId)}";
}

/// <summary>A gate with its details.</summary>
public sealed record GateView(
    GateRow Row, string Status, bool IsOpen, bool TimedOut, string? Message, IReadOnlyList<string> Asked,
    int RejectQuorum, string OnTimeout,
    DateTime? DecidedAt, IReadOnlyList<DecisionView> Decisions);

public sealed record DecisionView(string Decision, string By, string? Reason, string Via, DateTime At);
