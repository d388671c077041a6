using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>A person's invitations in all tenants, found by the subject of their tokens.</summary>
public sealed class InvitationStore(Db db)
{
    /// <summary>In the order in which <see cref="Read"/> reads them.</summary>
    private const string Columns =
        """
        member.id, member.tenant_id, organization.name, member.role, member.invited_by, member.created_at,
        member.accepted_at
        """;

    /// <summary>The person's pending invitations, newest first.</summary>
    public Task<List<Invitation>> ListAsync(string subject, CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            $"""
            SELECT {Columns}
            FROM viral.members AS member
            JOIN viral.organizations AS organization ON organization.id = member.tenant_id
                AND organization.deleted_at IS NULL
            WHERE member.subject = $1 AND member.accepted_at IS NULL
            ORDER BY member.id DESC
            LIMIT 1000
            """,
            [subject],
            Read,
            ct);

    /// <summary>Makes the person a member. Idempotent. Null if there is no such invitation.</summary>
    public Task<Invitation?> AcceptAsync(string subject, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            DbScope.AllTenants,
            $"""
            UPDATE viral.members AS member
            SET accepted_at = COALESCE(member.accepted_at, now())
            FROM viral.organizations AS organization
            WHERE member.id = $1 AND member.subject = $2 AND organization.id = member.tenant_id
                AND organization.deleted_at IS NULL
            RETURNING {Columns}
            """,
            [id, subject],
            Read,
            ct);

    /// <summary>Null if there is no such invitation.</summary>
    public Task<Invitation?> DeclineAsync(string subject, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            DbScope.AllTenants,
            $"""
            DELETE FROM viral.members AS member
            USING viral.organizations AS organization
            WHERE member.id = $1 AND member.subject = $2 AND member.accepted_at IS NULL
                AND organization.id = member.tenant_id
            RETURNING {Columns}
            """,
            [id, subject],
            Read,
            ct);

    private static Invitation Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetGuid(1),
        row.GetString(2),
        row.GetString(3),
        row.GetStringOrNull(4),
        row.GetDateTime(5),
        row.GetDateTimeOrNull(6));
}

/// <summary>An invitation to become a member of an organization.</summary>
/// <param name="Id">The id of the membership.</param>
public sealed record Invitation(
    Guid Id, Guid OrganizationId, string OrganizationName, string Role, string? InvitedBy, DateTime CreatedAt,
    DateTime? AcceptedAt);
