using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>
/// Looks up the API keys of concurrent requests together. Requests that arrive during a look-up share the next one,
/// which starts only after all its callers have arrived, so that a revoked key is never accepted.
/// </summary>
public sealed class ApiKeyLookup
{
    private readonly NpgsqlDataSource dataSource;
    private readonly GroupRunner<byte[], ApiKeyOwner?> lookups;

    public ApiKeyLookup(NpgsqlDataSource dataSource)
    {
        this.dataSource = dataSource;
        lookups = new(_ => null, FindAsync);
    }

    /// <summary>
    /// The owner of the key with this hash; null if there is none, it is revoked, or its organization is deleted.
    /// </summary>
    internal Task<ApiKeyOwner?> FindAsync(byte[] hash) => lookups.RunAsync(hash);

    private async Task<IReadOnlyList<ApiKeyOwner?>> FindAsync(IReadOnlyList<byte[]> hashes, CancellationToken ct)
    {
        await using var db = new Db(dataSource);
        var found = (await db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT key.hash, key.tenant_id, key.id, key.role, COALESCE(key.expires_at <= now(), false),
                   -- Once a minute is precise enough, and spares every request a write.
                   COALESCE(key.last_used_at > now() - interval '1 minute', false), organization.plan, key.sessions
            FROM viral.api_keys AS key
            JOIN viral.organizations AS organization ON organization.id = key.tenant_id
                AND organization.deleted_at IS NULL
            WHERE key.hash = ANY ($1) AND key.revoked_at IS NULL
            """,
            [hashes.Distinct(ByContent.Instance).ToArray()],
            row => (Hash: row.GetFieldValue<byte[]>(0), Owner: Read(row)),
            ct)).ToDictionary(key => key.Hash, key => key.Owner, ByContent.Instance);
        return [.. hashes.Select(found.GetValueOrDefault)];
    }

    private static ApiKeyOwner Read(NpgsqlDataReader row)
    {
        _ = Roles.TryParse(row.GetString(3), out var role);
        return new ApiKeyOwner(
            new TenantId(row.GetGuid(1)),
            row.GetGuid(2),
            role,
            row.GetBoolean(4),
            row.GetBoolean(5),
            row.GetString(6),
            row.GetInt32(7));
    }

    private sealed class ByContent : IEqualityComparer<byte[]>
    {
        public static ByContent Instance { get; } = new();

        public bool Equals(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

        // A key's hash is its own hash code.
        public int GetHashCode(byte[] hash) => BitConverter.ToInt32(hash);
    }
}

/// <summary>The owner of an API key. The database compares times, because instances' clocks may differ.</summary>
internal sealed record ApiKeyOwner(
    TenantId Tenant, Guid KeyId, Role Role, bool Expired, bool UsedLately, string Plan, int Sessions);
