using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Audit;

/// <summary>The audit log in PostgreSQL, append-only: the app's role cannot update or delete entries.</summary>
public sealed class AuditStore(Db db)
{
    /// <summary>Adds an entry, in the open transaction if there is one.</summary>
    public Task AddAsync(TenantId tenant, NewAuditEntry entry, CancellationToken ct) =>
        db.ExecuteAsync(
            tenant,
            """
            INSERT INTO viral.audit_log (
                tenant_id, id, actor, role, credential, subject, action, target_kind, target_id, ip, user_agent,
                request_id, before, after)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::jsonb, $14::jsonb)
            """,
            [
                tenant.Value, RowId.New(), entry.Actor, entry.Role, entry.Credential, entry.Subject, entry.Action,
                entry.TargetKind, entry.TargetId, entry.Ip, entry.UserAgent, entry.RequestId, entry.BeforeJson,
                entry.AfterJson,
            ],
            ct);

    /// <summary>Newest first. <paramref name="before"/> is the id of the last entry of the page before.</summary>
    public Task<List<AuditEntry>> ListAsync(
        TenantId tenant, AuditFilter filter, Guid? before, int limit, CancellationToken ct) =>
        db.QueryListAsync(
            tenant,
            """
            SELECT id, at, actor, role, credential, subject, action, target_kind, target_id, ip, user_agent, request_id,
                   before::text, after::text
            FROM viral.audit_log
            WHERE tenant_id = $1
              AND ($2::uuid IS NULL OR id < $2)
              AND ($3::text IS NULL OR actor = $3)
              AND ($4::text IS NULL OR $4 LIKE '%.*' OR action = $4)
              AND ($4::text IS NULL OR $4 NOT LIKE '%.*' OR family = left($4, -2))
              AND ($5::text IS NULL OR target_kind = $5)
              AND ($6::text IS NULL OR target_id = $6)
              AND ($7::timestamptz IS NULL OR (at >= $7 AND id >= $10))
              AND ($8::timestamptz IS NULL OR (at < $8 AND id < $11))
            ORDER BY id DESC
            LIMIT $9
            """,
            [
                tenant.Value, before, filter.Actor, filter.Action, filter.TargetKind, filter.TargetId, filter.From,
                filter.To, limit, Lists.IdFrom(filter.From), Lists.IdBefore(filter.To),
            ],
            Read,
            ct);

    private static AuditEntry Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetDateTime(1),
        row.GetString(2),
        row.GetStringOrNull(3),
        row.GetString(4),
        row.GetStringOrNull(5),
        row.GetString(6),
        row.GetString(7),
        row.GetStringOrNull(8),
        row.GetStringOrNull(9),
        row.GetStringOrNull(10),
        row.GetString(11),
        row.GetJsonOrNull(12),
        row.GetJsonOrNull(13));
}
