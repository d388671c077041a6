using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Approvals;

/// <summary>One-time links in PostgreSQL.</summary>
public sealed class LinkStore(Db db)
{
    public Task<int> AddAsync(TenantId tenant, Guid id, Guid gate, ApprovalLink link, CancellationToken ct) =>
        db.ExecuteAsync(
            tenant,
            """
            INSERT INTO viral.approval_links (tenant_id, id, gate, decider, decision, created_by, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [tenant.Value, id, gate, link.Decider, link.Decision.ToText(), link.CreatedBy, link.ExpiresAt],
            ct);

    /// <summary>The link with its gate; null if it no longer exists.</summary>
    public Task<ApprovalLink?> FindAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            SELECT gate.workflow_id, workflow.name, gate.gate_id, gate.run, gate.title, gate.message, link.decider,
                   link.decision, link.expires_at, link.used_at IS NOT NULL, link.created_by
            FROM viral.approval_links AS link
            JOIN viral.approval_gates AS gate ON gate.tenant_id = link.tenant_id AND gate.id = link.gate
            JOIN viral.workflows AS workflow ON workflow.tenant_id = gate.tenant_id AND workflow.id = gate.workflow_id
            JOIN viral.organizations AS organization ON organization.id = link.tenant_id
                AND organization.deleted_at IS NULL
            WHERE link.tenant_id = $1 AND link.id = $2
            """,
            [tenant.Value, id],
            row => new ApprovalLink(
                row.GetGuid(0), row.GetStringOrNull(1), row.GetString(2), row.GetInt32(3), row.GetString(4),
                row.GetStringOrNull(5), row.GetString(6), GateWords.ParseDecision(row.GetString(7)),
                row.GetDateTime(8), row.GetBoolean(9), row.GetString(10)),
            ct);

    /// <summary>
    /// Marks the link as used, in the transaction of its decision. False if it was already used or has expired.
    /// </summary>
    public async Task<bool> UseAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        await db.ExecuteAsync(
            tenant,
            """
            UPDATE viral.approval_links
            SET used_at = now()
            WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL AND expires_at > now()
            """,
            [tenant.Value, id],
            ct) == 1;
}

/// <param name="Decider">The principal who decides.</param>
public sealed record ApprovalLink(
    Guid WorkflowId,
    string? WorkflowName,
    string GateId,
    int Run,
    string Title,
    string? Message,
    string Decider,
    DecisionKind Decision,
    DateTime ExpiresAt,
    bool Used,
    string CreatedBy);
