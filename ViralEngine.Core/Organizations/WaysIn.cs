using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>
/// Ensures that an owner can always access an organization: with a key or, if tokens are accepted, as a member. Must be
/// called in the transaction of the change.
/// </summary>
public sealed class WaysIn(Db db, IOptions<AuthOptions> auth)
{
    private readonly bool takesTokens = auth.Value.Authority is not null || auth.Value.JwtSharedKey is not null;

    /// <summary>Whether an owner still has access without these. Concurrent changes are serialized.</summary>
    /// <param name="lasting">Whether expiring keys do not count.</param>
    public async Task<bool> RemainAsync(
        TenantId tenant, Guid[] withoutKeys, Guid? withoutMember, bool lasting, CancellationToken ct)
    {
        if (!db.InTransaction)
            throw new InvalidOperationException("RemainAsync must be called in the transaction of the change.");
        await using var batch = db.Batch(tenant)
            .Add("SELECT FROM viral.organizations WHERE id = $1 FOR UPDATE", [tenant.Value])
            .Add(
                """
                SELECT EXISTS (
                        SELECT
                        FROM viral.api_keys
                        WHERE tenant_id = $1 AND role = 'owner' AND revoked_at IS NULL AND id <> ALL ($2)
                          AND (expires_at IS NULL OR (NOT $4 AND expires_at > now())))
                    OR ($5 AND EXISTS (
                        SELECT
                        FROM viral.members
                        WHERE tenant_id = $1 AND role = 'owner' AND accepted_at IS NOT NULL AND id IS DISTINCT FROM $3))
                """,
                [tenant.Value, withoutKeys, withoutMember, lasting, takesTokens]);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        await reader.ReadAsync(ct);
        return reader.GetBoolean(0);
    }
}
