using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>Organizations in PostgreSQL. <see cref="DeleteOrganization"/> deletes one.</summary>
public sealed class OrganizationStore(Db db)
{
    /// <summary>In the order in which <see cref="Read"/> reads them.</summary>
    private const string Columns = "id, name, plan, created_at, updated_at";

    /// <summary>Creates an organization with its first API key, with the role owner.</summary>
    public Task<Organization> AddAsync(
        Guid id, string name, string plan, Guid keyId, string keySecret, string createdBy, CancellationToken ct) =>
        db.QueryOneAsync(
            DbScope.AllTenants,
            $"""
            WITH organization AS (
                INSERT INTO viral.organizations (id, name, plan)
                VALUES ($1, $2, $3)
                RETURNING {Columns}
            ), key AS (
                INSERT INTO viral.api_keys (tenant_id, id, name, role, hash, hint, created_by)
                SELECT id, $4, 'first key', 'owner', $5, $6, $7
                FROM organization
            )
            SELECT {Columns}
            FROM organization
            """,
            [id, name, plan, keyId, ApiKeySecret.Hash(keySecret), ApiKeySecret.Hint(keySecret), createdBy],
            Read,
            ct)!;

    /// <summary>An organization visible to <paramref name="scope"/>.</summary>
    public Task<Organization?> FindAsync(DbScope scope, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            scope,
            $"""
            SELECT {Columns}
            FROM viral.organizations
            WHERE id = $1 AND deleted_at IS NULL
            """,
            [id],
            Read,
            ct);

    /// <summary>The organizations visible to <paramref name="scope"/>, newest first. A tenant sees itself.</summary>
    public Task<List<Organization>> ListAsync(DbScope scope, Guid? before, int limit, CancellationToken ct) =>
        db.QueryAsync(
            scope,
            $"""
            SELECT {Columns}
            FROM viral.organizations
            WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR id < $1)
            ORDER BY id DESC
            LIMIT $2
            """,
            [before, limit],
            Read,
            ct);

    /// <summary>Changes the given values; nulls are kept.</summary>
    public Task<Organization?> UpdateAsync(DbScope scope, Guid id, string? name, string? plan, CancellationToken ct) =>
        db.QueryOneAsync(
            scope,
            $"""
            UPDATE viral.organizations
            SET name = COALESCE($2, name), plan = COALESCE($3, plan), updated_at = now()
            WHERE id = $1 AND deleted_at IS NULL
            RETURNING {Columns}
            """,
            [id, name, plan],
            Read,
            ct);

    private static Organization Read(NpgsqlDataReader row) =>
        new(row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetDateTime(3), row.GetDateTime(4));
}
