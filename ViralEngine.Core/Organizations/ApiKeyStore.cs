using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>The API keys of an organization.</summary>
public sealed class ApiKeyStore(Db db)
{
    /// <summary>In the order in which <see cref="Read"/> reads them.</summary>
    private const string Columns = "id, name, role, hint, created_by, created_at, expires_at, last_used_at, revoked_at";

    public Task<ApiKey> AddAsync(
        TenantId tenant, Guid id, string name, Role role, string secret, DateTime? expiresAt, string createdBy,
        CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            INSERT INTO viral.api_keys (tenant_id, id, name, role, hash, hint, expires_at, created_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            RETURNING {Columns}
            """,
            [
                tenant.Value, id, name, role.ToText(), ApiKeySecret.Hash(secret), ApiKeySecret.Hint(secret), expiresAt,
                createdBy,
            ],
            Read,
            ct)!;

    public Task<ApiKey?> FindAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.api_keys
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id],
            Read,
            ct);

    public Task<List<ApiKey>> ListAsync(TenantId tenant, Guid? before, int limit, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.api_keys
            WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
            ORDER BY id DESC
            LIMIT $3
            """,
            [tenant.Value, before, limit],
            Read,
            ct);

    /// <summary>The active keys that a principal created, and those created with them.</summary>
    public Task<List<ApiKey>> MadeByAsync(TenantId tenant, string principal, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.api_keys
            WHERE tenant_id = $1 AND id IN (SELECT viral.keys_made_by($1, $2)) AND revoked_at IS NULL
            ORDER BY id
            """,
            [tenant.Value, principal],
            Read,
            ct);

    /// <summary>Revokes keys, effective with the next request on every instance. They stay listed.</summary>
    public Task<int> RevokeAsync(TenantId tenant, Guid[] ids, CancellationToken ct) =>
        db.ExecuteAsync(
            tenant,
            "UPDATE viral.api_keys SET revoked_at = now() "
            + "WHERE tenant_id = $1 AND id = ANY ($2) AND revoked_at IS NULL",
            [tenant.Value, ids],
            ct);

    private static ApiKey Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetString(1),
        row.GetString(2),
        row.GetString(3),
        row.GetString(4),
        row.GetDateTime(5),
        row.GetDateTimeOrNull(6),
        row.GetDateTimeOrNull(7),
        row.GetDateTimeOrNull(8));
}
