using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>What sessions of the console need to know of a principal beyond what its credential says.</summary>
public sealed class SessionStore(Db db)
{
    /// <summary>Ends every session of the caller: of a person in all organizations, of a key those that were begun with it.</summary>
    public Task<int> EndAllAsync(Caller caller, CancellationToken ct) => caller.Kind == CallerKind.User
        ? db.ExecuteAsync(
            DbScope.AllTenants,
            "UPDATE viral.members SET sessions = sessions + 1 WHERE subject = $1",
            [caller.Subject],
            ct)
        : db.ExecuteAsync(
            caller.Tenant,
            "UPDATE viral.api_keys SET sessions = sessions + 1 WHERE tenant_id = $1 AND id = $2",
            [caller.Tenant.Value, Guid.Parse(caller.Id)],
            ct);

    /// <summary>The organizations that a person is a member of, by name.</summary>
    public Task<List<Membership>> OrganizationsOfAsync(string subject, CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT organization.id, organization.name, member.role
            FROM viral.members AS member
            JOIN viral.organizations AS organization ON organization.id = member.tenant_id AND organization.deleted_at IS NULL
            WHERE member.subject = $1 AND member.accepted_at IS NOT NULL
            ORDER BY organization.name, organization.id
            LIMIT 1000
            """,
            [subject],
            row => new Membership(row.GetGuid(0), row.GetString(1), row.GetString(2)),
            ct);
}

/// <summary>An organization as one of its members sees it.</summary>
public sealed record Membership(Guid OrganizationId, string Name, string Role);
