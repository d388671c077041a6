using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Approvals;

/// <summary>Finds members and keys with their current roles.</summary>
public sealed class ApproverDirectory(Db db)
{
    /// <param name="name">A principal (<c>user:…</c>, <c>api_key:…</c>), or the subject of a member's tokens.</param>
    public async Task<Approver?> FindAsync(TenantId tenant, string name, CancellationToken ct)
    {
        const string User = "user:";
        const string Key = "api_key:";
        if (name.StartsWith(Key, StringComparison.Ordinal))
            return Guid.TryParseExact(name[Key.Length..], "D", out var keyId)
                ? await FindKeyAsync(tenant, keyId, ct)
                : null;
        var isId = name.StartsWith(User, StringComparison.Ordinal)
            && Guid.TryParseExact(name[User.Length..], "D", out _);
        return await db.QueryOneAsync(
            tenant,
            """
            SELECT id, subject, role
            FROM viral.members
            WHERE tenant_id = $1 AND accepted_at IS NOT NULL AND (id = $2 OR subject = $3)
            """,
            [tenant.Value, isId ? Guid.Parse(name[User.Length..]) : null, isId ? null : name],
            row => new Approver(
                $"{User}{row.GetGuid(0)}",
                RoleOf(row.GetString(2)),
                [row.GetGuid(0).ToString(), $"{User}{row.GetGuid(0)}", row.GetString(1)]),
            ct);
    }

    /// <summary>The person behind each of these principals.</summary>
    public Task<string[]> EyesOfAsync(TenantId tenant, string[] principals, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            "SELECT ARRAY(SELECT viral.eyes($1, name) "
            + "FROM unnest($2::text[]) WITH ORDINALITY AS asked (name, place) ORDER BY place)",
            [tenant.Value, principals],
            row => row.GetFieldValue<string[]>(0),
            ct)!;

    /// <summary>
    /// How many people may decide at a gate with these approvers. Each counts once, whatever keys they hold.
    /// </summary>
    /// <param name="except">A principal to exclude, with all keys of the same person.</param>
    public Task<int> CountAsync(
        TenantId tenant, IEnumerable<string> roles, IEnumerable<string> users, string? except, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            WITH decider AS (
                SELECT 'user:' || id AS principal
                FROM viral.members
                WHERE tenant_id = $1 AND role <> 'viewer' AND accepted_at IS NOT NULL
                  AND (role = ANY ($2) OR ARRAY[id::text, 'user:' || id, subject] && $3)
                UNION ALL
                SELECT 'api_key:' || id
                FROM viral.api_keys
                WHERE tenant_id = $1 AND role <> 'viewer' AND revoked_at IS NULL
                    AND (expires_at IS NULL OR expires_at > now())
                  AND (role = ANY ($2) OR ARRAY[id::text, 'api_key:' || id] && $3)
            )
            SELECT count(DISTINCT viral.eyes($1, principal))::integer
            FROM decider
            WHERE viral.eyes($1, principal) IS DISTINCT FROM viral.eyes($1, $4)
            """,
            [tenant.Value, roles.ToArray(), users.ToArray(), except],
            row => row.GetInt32(0),
            ct);

    /// <summary>The names that match nobody in the organization.</summary>
    public async Task<IReadOnlySet<string>> UnknownAsync(
        TenantId tenant, IReadOnlyCollection<string> names, CancellationToken ct) =>
        (await db.QueryAsync(
            tenant,
            """
            SELECT name
            FROM unnest($2::text[]) AS asked (name)
            WHERE NOT EXISTS (
                    SELECT
                    FROM viral.members
                    WHERE tenant_id = $1 AND name IN (id::text, 'user:' || id, subject))
              AND NOT EXISTS (
                    SELECT
                    FROM viral.api_keys
                    WHERE tenant_id = $1 AND name IN (id::text, 'api_key:' || id) AND revoked_at IS NULL)
            """,
            [tenant.Value, names.ToArray()],
            row => row.GetString(0),
            ct)).ToHashSet();

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
