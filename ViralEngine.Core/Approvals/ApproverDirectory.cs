using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Approvals;

/// <summary>Finds the people and keys that a link may be for, with the role they have now.</summary>
public sealed class ApproverDirectory(Db db)
{
    /// <param name="name">A principal (<c>user:…</c>, <c>api_key:…</c>), or the subject of a member's tokens.</param>
    public async Task<Approver?> FindAsync(TenantId tenant, string name, CancellationToken ct)
    {
        const string User = "user:";
        const string Key = "api_key:";
        if (name.StartsWith(Key, StringComparison.Ordinal))
            return Guid.TryParseExact(name[Key.Length..], "D", out var keyId) ? await FindKeyAsync(tenant, keyId, ct) : null;
        var isId = name.StartsWith(User, StringComparison.Ordinal) && Guid.TryParseExact(name[User.Length..], "D", out _);
        return await db.QueryOneAsync(
            tenant,
            """
            SELECT id, subject, role
            FROM viral.members
            WHERE tenant_id = $1 AND (id = $2 OR subject = $3)
            """,
            [tenant.Value, isId ? Guid.Parse(name[User.Length..]) : null, isId ? null : name],
            row => new Approver(
                $"{User}{row.GetGuid(0)}",
                RoleOf(row.GetString(2)),
                [row.GetGuid(0).ToString(), $"{User}{row.GetGuid(0)}", row.GetString(1)]),
            ct);
    }

    private Task<Approver?> FindKeyAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            SELECT id, role
            FROM viral.api_keys
            WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
            """,
            [tenant.Value, id],
            row => new Approver($"api_key:{id}", RoleOf(row.GetString(1)), [id.ToString(), $"api_key:{id}"]),
            ct);

    private static Role RoleOf(string text) => Roles.TryParse(text, out var role) ? role : Role.None;
}
