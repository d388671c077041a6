using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>
/// Re-encrypts the secrets of all tenants' agents with the first key of the ring, so that the others can be removed.
/// </summary>
public sealed class AgentSecretRotation(Db db, SecretBox box)
{
    private const int PageSize = 200;

    /// <summary>Safe to run while the app is running, and again after a crash.</summary>
    /// <returns>The number of re-encrypted secrets.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var (after, count) = (Guid.Empty, 0);
        while (true)
        {
            var page = await db.QueryAsync(
                DbScope.AllTenants,
                """
                SELECT tenant_id, id, secrets
                FROM viral.agents
                WHERE id > $1 AND secrets IS NOT NULL
                ORDER BY id
                LIMIT $2
                """,
                [after, PageSize],
                row => (Tenant: row.GetGuid(0), Id: row.GetGuid(1), Secrets: row.GetFieldValue<byte[]>(2)),
                ct);
            foreach (var (tenant, id, secrets) in page.Where(row => box.IsStale(row.Secrets)))
            {
                // Secrets that changed meanwhile were encrypted with the new key.
                count += await db.ExecuteAsync(
                    new TenantId(tenant),
                    "UPDATE viral.agents SET secrets = $3 WHERE tenant_id = $1 AND id = $2 AND secrets = $4",
                    [tenant, id, box.Reseal(tenant, AgentSecrets.PurposeOf(id), secrets), secrets],
                    ct);
            }

            if (page.Count < PageSize)
                return count;
            after = page[^1].Id;
        }
    }
}
