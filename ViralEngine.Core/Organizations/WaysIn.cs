using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

/// <summary>
/// Sees to it that somebody always gets into an organization as its owner: with a key, or, where tokens are accepted, as a member.
/// Call it in the transaction of the change.
/// </summary>
public sealed class WaysIn(Db db, IOptions<AuthOptions> auth)
{
    private readonly bool takesTokens = auth.Value.Authority is not null || auth.Value.JwtSharedKey is not null;

    /// <summary>Whether an owner could still get in without these. Of two changes at once, the second waits for the first.</summary>
    /// <param name="lasting">Whether a key that expires is not enough: it is none of what is taken away either.</param>
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
