using System.Security.Cryptography;
using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>
/// Authenticates the caller and determines the tenant from the credential alone; nothing is cached between requests.
/// The requested tenant (<c>X-Tenant-ID</c>) selects one of those the principal may act for and grants no access.
/// </summary>
public sealed class Authenticator(Db db, ApiKeyLookup keys, TokenValidator tokens, PlatformKey platformKey)
{
    public abstract record Outcome
    {
        /// <summary>The caller is authenticated.</summary>
        public sealed record Known(Caller Caller) : Outcome;

        /// <summary>No valid credential: 401.</summary>
        public sealed record Unknown(string Fault) : Outcome;

        /// <summary>A valid credential that may not act for the tenant asked for: 403.</summary>
        public sealed record NotForTenant(string Fault) : Outcome;

        /// <summary>The principal belongs to several organizations and requested none: 400.</summary>
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

    /// <summary>
    /// The subject of a person's token, regardless of memberships. API keys and the platform key have none.
    /// </summary>
    public async Task<(string? Subject, string? Fault)> PersonOfAsync(string credential) =>
        credential.StartsWith(ApiKeySecret.Prefix, StringComparison.Ordinal) || IsPlatformKey(
            ApiKeySecret.Hash(credential))
            ? (null, "This endpoint requires a person's token, not an API key.")
            : await tokens.ValidateAsync(credential);

    private bool IsPlatformKey(byte[] hash) =>
        platformKey.Hash is { } expected && CryptographicOperations.FixedTimeEquals(expected, hash);

    private async Task<Outcome> ByApiKeyAsync(byte[] hash, Guid? tenantAsked, CancellationToken ct)
    {
        var key = await keys.FindAsync(hash);
        if (key is null)
            return new Outcome.Unknown("The API key is unknown or revoked.");
        if (key.Expired)
            return new Outcome.Unknown("The API key has expired.");
        if (tenantAsked is { } asked && asked != key.Tenant.Value)
            return new Outcome.NotForTenant("The API key does not belong to the organization in X-Tenant-ID.");

        if (!key.UsedLately)
        {
            await db.ExecuteAsync(
                key.Tenant,
                "UPDATE viral.api_keys SET last_used_at = now() WHERE id = $1",
                [key.KeyId],
                ct);
        }

        return new Outcome.Known(new Caller(
            CallerKind.ApiKey, key.KeyId.ToString(), key.Tenant, key.Role, Plan: key.Plan, Sessions: key.Sessions));
    }

    private async Task<Outcome> BySubjectAsync(string subject, Guid? tenantAsked, CancellationToken ct)
    {
        var memberships = await db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT member.tenant_id, member.id, member.role, organization.plan, organization.deleted_at IS NOT NULL,
                   member.sessions
            FROM viral.members AS member
            JOIN viral.organizations AS organization ON organization.id = member.tenant_id
            WHERE member.subject = $1 AND member.accepted_at IS NOT NULL
            ORDER BY member.tenant_id
            LIMIT 1000
            """,
            [subject],
            ReadMembership,
            ct);

        // A former member of several organizations must still name one, even if only one is left.
        var several = memberships.Count > 1;
        memberships.RemoveAll(membership => membership.Deleted);
        if (memberships.Count == 0)
        {
            return new Outcome.NotForTenant(
                "The token's subject is not a member of any organization. "
                + "Accept pending invitations at /api/invitations.");
        }

        if (tenantAsked is { } asked)
            memberships.RemoveAll(membership => membership.Tenant.Value != asked);
        return memberships switch
        {
            [] => new Outcome.NotForTenant("The token's subject is not a member of the organization in X-Tenant-ID."),
            [_] when several && tenantAsked is null =>
                new Outcome.TenantMissing(
                    "The token's subject was a member of several organizations: set X-Tenant-ID to one of them."),
            [var (tenant, id, role, plan, _, sessions)] =>
                new Outcome.Known(new Caller(CallerKind.User, id.ToString(), tenant, role, subject, plan, sessions)),
            _ => new Outcome.TenantMissing(
                "The token's subject is a member of several organizations: set X-Tenant-ID to one of them."),
        };
    }

    private static (
        TenantId Tenant, Guid Id, Role Role, string Plan, bool Deleted,
        int Sessions) ReadMembership(NpgsqlDataReader row)
    {
        _ = Roles.TryParse(row.GetString(2), out var role);
        return (
            new TenantId(row.GetGuid(0)), row.GetGuid(1), role, row.GetString(3), row.GetBoolean(4), row.GetInt32(5));
    }
}
