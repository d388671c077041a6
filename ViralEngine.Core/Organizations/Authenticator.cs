using System.Security.Cryptography;
using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>
/// Finds out who calls and for which tenant, from the credential alone; nothing about callers is kept between requests. The
/// tenant asked for (<c>X-Tenant-ID</c>) chooses among those the principal may act for and never grants one.
/// </summary>
public sealed class Authenticator(Db db, ApiKeyLookup keys, TokenValidator tokens, PlatformKey platformKey, TimeProvider time)
{
    private static readonly TimeSpan LastUsePrecision = TimeSpan.FromMinutes(1);

    public abstract record Outcome
    {
        /// <summary>The caller is who it says.</summary>
        public sealed record Known(Caller Caller) : Outcome;

        /// <summary>No valid credential: 401.</summary>
        public sealed record Unknown(string Fault) : Outcome;

        /// <summary>A valid credential that may not act for the tenant asked for: 403.</summary>
        public sealed record NotForTenant(string Fault) : Outcome;

        /// <summary>The principal belongs to several organizations and named none: 400.</summary>
        public sealed record TenantMissing(string Fault) : Outcome;
    }

    public async Task<Outcome> AuthenticateAsync(string credential, Guid? tenantAsked, CancellationToken ct)
    {
        var hash = ApiKeySecret.Hash(credential);
        if (IsPlatformKey(hash))
        {
            return new Outcome.Known(
                new Caller(CallerKind.Platform, "platform", new TenantId(Guid.Empty), Role.Platform));
        }

        if (credential.StartsWith(ApiKeySecret.Prefix, StringComparison.Ordinal))
            return await ByApiKeyAsync(hash, tenantAsked, ct);

        var (subject, fault) = await tokens.ValidateAsync(credential);
        return subject is null ? new Outcome.Unknown(fault!) : await BySubjectAsync(subject, tenantAsked, ct);
    }

    private bool IsPlatformKey(byte[] hash) =>
        platformKey.Hash is { } expected && CryptographicOperations.FixedTimeEquals(expected, hash);

    private async Task<Outcome> ByApiKeyAsync(byte[] hash, Guid? tenantAsked, CancellationToken ct)
    {
        var key = await keys.FindAsync(hash);
        var now = time.GetUtcNow().UtcDateTime;
        if (key is null)
            return new Outcome.Unknown("The API key is unknown or revoked.");
        if (key.ExpiresAt <= now)
            return new Outcome.Unknown("The API key has expired.");
        if (tenantAsked is { } asked && asked != key.Tenant.Value)
            return new Outcome.NotForTenant("The API key belongs to another organization than X-Tenant-ID names.");

        // Once a minute is precise enough, and spares every request a write.
        if (key.LastUsedAt is null || now - key.LastUsedAt > LastUsePrecision)
        {
            await db.ExecuteAsync(
                key.Tenant,
                "UPDATE viral.api_keys SET last_used_at = $2 WHERE id = $1",
                [key.KeyId, now],
                ct);
        }

        return new Outcome.Known(new Caller(CallerKind.ApiKey, key.KeyId.ToString(), key.Tenant, key.Role, Plan: key.Plan));
    }

    private async Task<Outcome> BySubjectAsync(string subject, Guid? tenantAsked, CancellationToken ct)
    {
        var memberships = await db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT member.tenant_id, member.id, member.role, organization.plan
            FROM viral.members AS member
            JOIN viral.organizations AS organization ON organization.id = member.tenant_id AND organization.deleted_at IS NULL
            WHERE member.subject = $1
            ORDER BY member.tenant_id
            LIMIT 1000
            """,
            [subject],
            ReadMembership,
            ct);

        if (memberships.Count == 0)
            return new Outcome.NotForTenant("The token's subject is not a member of any organization.");
        if (tenantAsked is { } asked)
            memberships.RemoveAll(membership => membership.Tenant.Value != asked);
        return memberships switch
        {
            [] => new Outcome.NotForTenant("The token's subject is not a member of the organization that X-Tenant-ID names."),
            [var (tenant, id, role, plan)] =>
                new Outcome.Known(new Caller(CallerKind.User, id.ToString(), tenant, role, subject, plan)),
            _ => new Outcome.TenantMissing("The token's subject is a member of several organizations: name one in X-Tenant-ID."),
        };
    }

    private static (TenantId Tenant, Guid Id, Role Role, string Plan) ReadMembership(NpgsqlDataReader row)
    {
        _ = Roles.TryParse(row.GetString(2), out var role);
        return (new TenantId(row.GetGuid(0)), row.GetGuid(1), role, row.GetString(3));
    }
}
