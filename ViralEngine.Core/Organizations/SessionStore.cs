using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>Data of console sessions beyond the credential.</summary>
public sealed class SessionStore(Db db)
{
    /// <summary>
    /// Ends every session of the caller: a person's in all organizations, or those started with a key.
    /// </summary>
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

    /// <summary>A person's organizations, by name.</summary>
    public Task<List<Membership>> OrganizationsOfAsync(string subject, CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT organization.id, organization.name, member.role
            FROM viral.members AS member
            JOIN viral.organizations AS organization ON organization.id = member.tenant_id
                AND organization.deleted_at IS NULL
            WHERE member.subject = $1 AND member.accepted_at IS NOT NULL
            ORDER BY organization.name, organization.id
            LIMIT 1000
            """,
            [subject],
            row => new Membership(row.GetGuid(0), row.GetString(1), row.GetString(2)),
            ct);
}

/// <summary>A membership of the person.</summary>
public sealed record Membership(Guid OrganizationId, string Name, string Role);
