using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows;

namespace ViralEngine.Core.Approvals;

/// <summary>Gates and decisions in PostgreSQL.</summary>
public sealed class GateStore(Db db)
{
    /// <summary>Gates with their decisions, in the order in which <see cref="Read"/> reads them.</summary>
    private const string Select =
        """
        SELECT gate.id, gate.workflow_id, gate.gate_id, gate.run, gate.title, gate.message, gate.roles, gate.users,
               gate.quorum, gate.reject_quorum, gate.exclude_requester, gate.requested_by, gate.opened_at, gate.status,
               gate.expires_at,
               gate.on_timeout, gate.escalation::text, gate.escalated_at, gate.reminder_seconds, gate.next_reminder_at,
               gate.reminders_sent, gate.decided_at, gate.timed_out, decisions.list::text
        FROM viral.approval_gates AS gate
        CROSS JOIN LATERAL (
            SELECT json_agg(made ORDER BY made.decided_at, made.decider) AS list
            FROM viral.approval_decisions AS made
            WHERE made.tenant_id = gate.tenant_id AND made.gate = gate.id
        ) AS decisions
        """;

    /// <summary>
    /// Adds a query for the gates that the current run of a workflow has reached, with their decisions.
    /// </summary>
    internal static void AddReadTo(DbBatch batch, TenantId tenant, Guid workflowId) =>
        batch.Add(
            $"""
            {Select}
            WHERE gate.tenant_id = $1 AND gate.workflow_id = $2
              AND gate.run = (SELECT run FROM viral.workflows WHERE tenant_id = $1 AND id = $2)
            """,
            [tenant.Value, workflowId]);

    /// <summary>The latest gate of a step; null if none was opened.</summary>
    public Task<Gate?> FindAsync(TenantId tenant, Guid workflowId, string gateId, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            {Select}
            WHERE gate.tenant_id = $1 AND gate.workflow_id = $2 AND gate.gate_id = $3
            ORDER BY gate.run DESC
            LIMIT 1
            """,
            [tenant.Value, workflowId, gateId],
            Read,
            ct);

    /// <summary>The open gates that wait for this caller's decision, newest first.</summary>
    public Task<List<Gate>> WaitingForAsync(Caller caller, Guid? before, int limit, CancellationToken ct) =>
        db.QueryListAsync(
            caller.Tenant,
            $"""
            WITH asking AS (
                SELECT DISTINCT found.gate
                FROM unnest($3::text[]) AS asked (name)
                CROSS JOIN LATERAL (
                    SELECT ask.gate
                    FROM viral.approval_asks AS ask
                    WHERE ask.tenant_id = $1 AND ask.asked = asked.name AND ($2::uuid IS NULL OR ask.gate < $2)
                      AND EXISTS (
                        SELECT
                        FROM viral.approval_gates AS gate
                        WHERE gate.tenant_id = $1 AND gate.id = ask.gate AND gate.status = 'open'
                          AND (gate.expires_at IS NULL OR gate.expires_at > now())
                          AND NOT (gate.exclude_requester AND viral.eyes($1, gate.requested_by) = viral.eyes($1, $4))
                          AND NOT EXISTS (
                            SELECT
                            FROM viral.approval_decisions AS mine
                            WHERE mine.tenant_id = $1 AND mine.gate = gate.id
                              AND (mine.decider = $4 OR mine.eyes = viral.eyes($1, $4)))
                        -- Not made into a join, which would read the gates first.
                        OFFSET 0)
                    ORDER BY ask.gate DESC
                    LIMIT $5
                ) AS found
                ORDER BY found.gate DESC
                LIMIT $5
            )
            {Select}
            WHERE gate.tenant_id = $1 AND gate.id = ANY (ARRAY(SELECT gate FROM asking))
            ORDER BY gate.id DESC
            """,
            [
                caller.Tenant.Value, before,
                (string[])[$"role:{caller.Role.ToText()}", .. Approver.NamesOf(caller).Select(name => $"user:{name}")],
                caller.Principal, limit,
            ],
            Read,
            ct);

    /// <summary>Stores a decision. The gate's row is stored with the workflow.</summary>
    public Task<int> AddDecisionAsync(TenantId tenant, Guid gate, Decision decision, CancellationToken ct) =>
        db.ExecuteAsync(
            tenant,
            """
            INSERT INTO viral.approval_decisions (tenant_id, gate, decider, decision, reason, via, decided_at, eyes,
                link_created_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            [
                tenant.Value, gate, decision.Decider, decision.Kind.ToText(), decision.Reason, decision.Via,
                decision.DecidedAt, decision.Eyes, decision.LinkCreatedBy,
            ],
            ct);

    internal static void AddTo(DbBatch batch, TenantId tenant, Gate gate) => batch.Add(
        """
        INSERT INTO viral.approval_gates (
            tenant_id, id, workflow_id, gate_id, run, status, title, message, roles, users, quorum, reject_quorum,
            exclude_requester, requested_by, opened_at, expires_at, on_timeout, escalation, escalated_at,
            reminder_seconds, next_reminder_at, reminders_sent, decided_at, timed_out)
        VALUES (
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18::jsonb, $19, $20, $21, $22,
            $23, $24)
        ON CONFLICT (tenant_id, id) DO UPDATE
        SET status = EXCLUDED.status, roles = EXCLUDED.roles, users = EXCLUDED.users, expires_at = EXCLUDED.expires_at,
            on_timeout = EXCLUDED.on_timeout, escalation = EXCLUDED.escalation, escalated_at = EXCLUDED.escalated_at,
            next_reminder_at = EXCLUDED.next_reminder_at, reminders_sent = EXCLUDED.reminders_sent,
            decided_at = EXCLUDED.decided_at, timed_out = EXCLUDED.timed_out
        """,
        [
            tenant.Value, gate.Id, gate.WorkflowId, gate.GateId, gate.Run, gate.Status.ToText(), gate.Title,
            gate.Message, gate.Roles.ToArray(), gate.Users.ToArray(), gate.Quorum, gate.RejectQuorum,
            gate.ExcludeRequester, gate.RequestedBy, gate.OpenedAt, gate.ExpiresAt, gate.OnTimeout.ToText(),
            gate.Escalation is { } next ? JsonSerializer.Serialize(next, GateJson.Default.Escalation) : null,
            gate.EscalatedAt, gate.ReminderSeconds, gate.NextReminderAt, gate.RemindersSent, gate.DecidedAt,
            gate.TimedOut,
        ]);

    internal static Gate Read(NpgsqlDataReader row)
    {
        var columns = new ColumnCursor(row);
        return new Gate
        {
            Id = columns.Guid(),
            WorkflowId = columns.Guid(),
            GateId = columns.String(),
            Run = columns.Int32(),
            Title = columns.String(),
            Message = columns.StringOrNull(),
            Roles = columns.Strings(),
            Users = columns.Strings(),
            Quorum = columns.Int32(),
            RejectQuorum = columns.Int32(),
            ExcludeRequester = columns.Boolean(),
            RequestedBy = columns.String(),
            OpenedAt = columns.DateTime(),
            Status = GateWords.ParseStatus(columns.String()),
            ExpiresAt = columns.DateTimeOrNull(),
            OnTimeout = GateWords.ParseTimeout(columns.String()),
            Escalation = columns.JsonOrNull(GateJson.Default.Escalation),
            EscalatedAt = columns.DateTimeOrNull(),
            ReminderSeconds = columns.Int32OrNull(),
            NextReminderAt = columns.DateTimeOrNull(),
            RemindersSent = columns.Int32(),
            DecidedAt = columns.DateTimeOrNull(),
            TimedOut = columns.Boolean(),
            Decisions = columns.JsonOrNull(GateJson.Default.DecisionRowArray) is { } decisions
                ? [.. decisions.Select(decision => new Decision(
                    decision.Decider, GateWords.ParseDecision(decision.Decision), decision.Reason, decision.Via,
                    decision.DecidedAt.UtcDateTime, decision.Eyes ?? decision.Decider, decision.LinkCreatedBy))]
                : [],
        };
    }
}

internal sealed record DecisionRow(
    string Decider, string Decision, string? Reason, string Via, DateTimeOffset DecidedAt, string? Eyes,
    string? LinkCreatedBy);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Escalation))]
[JsonSerializable(typeof(DecisionRow[]))]
internal sealed partial class GateJson : JsonSerializerContext;
