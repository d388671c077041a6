using Npgsql;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>The members of an organization.</summary>
public sealed class MemberStore(Db db)
{
    /// <summary>In the order in which <see cref="Read"/> reads them.</summary>
    private const string Columns = "id, subject, email, name, role, created_at, invited_by, accepted_at";

    public abstract record Outcome
    {
        public sealed record Done(Member Member) : Outcome;

        public sealed record Absent : Outcome;

        /// <summary>The subject is already a member.</summary>
        public sealed record Duplicate : Outcome;
    }

    /// <summary>Invites a person, who becomes a member on accepting.</summary>
    /// <param name="most">The plan's members; 0 for no limit.</param>
    public async Task<Outcome> AddAsync(
        TenantId tenant, Guid id, string subject, string? email, string? name, Role role, string invitedBy, int most,
        CancellationToken ct)
    {
        await using var batch = db.Batch(tenant)
            // Serialized, so that two concurrent invitations cannot both take the last place.
            .Add("SELECT FROM viral.organizations WHERE id = $1 FOR UPDATE", [tenant.Value])
            .Add(
                $"""
                WITH added AS (
                    INSERT INTO viral.members (tenant_id, id, subject, email, name, role, invited_by)
                    SELECT $1, $2, $3, $4, $5, $6, $8
                    WHERE $7 = 0 OR (SELECT count(*) FROM viral.members WHERE tenant_id = $1) < $7
                    ON CONFLICT ON CONSTRAINT members_subject_once DO NOTHING
                    RETURNING {Columns}
                )
                SELECT {Columns}, false
                FROM added
                UNION ALL
                SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                       EXISTS (SELECT FROM viral.members WHERE tenant_id = $1 AND subject = $3)
                ORDER BY 1 NULLS LAST
                """,
                [tenant.Value, id, subject, email, name, role.ToText(), most, invitedBy]);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        await reader.ReadAsync(ct);
        if (!reader.IsDBNull(0))
            return new Outcome.Done(Read(reader));
        return reader.GetBoolean(8)
            ? new Outcome.Duplicate()
            : throw new PlanLimitException("members", most, TimeSpan.FromDays(1));
    }

    public Task<Member?> FindAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.members
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id],
            Read,
            ct);

    public Task<List<Member>> ListAsync(TenantId tenant, Guid? before, int limit, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.members
            WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
            ORDER BY id DESC
            LIMIT $3
            """,
            [tenant.Value, before, limit],
            Read,
            ct);

    public Task<Member?> ChangeRoleAsync(TenantId tenant, Guid id, Role role, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            UPDATE viral.members
            SET role = $3
            WHERE tenant_id = $1 AND id = $2
            RETURNING {Columns}
            """,
            [tenant.Value, id, role.ToText()],
            Read,
            ct);

    public async Task<bool> RemoveAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        await db.ExecuteAsync(
            tenant, "DELETE FROM viral.members WHERE tenant_id = $1 AND id = $2", [tenant.Value, id], ct) > 0;

    private static Member Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetString(1),
        row.GetStringOrNull(2),
        row.GetStringOrNull(3),
        row.GetString(4),
        row.GetDateTime(5),
        row.GetStringOrNull(6),
        row.GetDateTimeOrNull(7));
}
