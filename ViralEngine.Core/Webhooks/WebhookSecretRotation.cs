using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// Re-encrypts the secrets and headers of all tenants' endpoints with the first key of the ring, so that the others can
/// be removed.
/// </summary>
public sealed class WebhookSecretRotation(Db db, SecretBox box)
{
    /// <summary>Safe to run while the app is running, and again after a crash.</summary>
    /// <returns>The number of re-encrypted rows.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var secrets = await db.QueryAsync(
            DbScope.AllTenants,
            "SELECT tenant_id, id, secret FROM viral.webhook_secrets WHERE expires_at IS NULL OR expires_at > now()",
            [],
            row => (Tenant: new TenantId(row.GetGuid(0)), Id: row.GetGuid(1), Sealed: row.GetFieldValue<byte[]>(2)),
            ct);
        var headers = await db.QueryAsync(
            DbScope.AllTenants,
            "SELECT tenant_id, id, headers FROM viral.webhook_endpoints WHERE headers IS NOT NULL",
            [],
            row => (Tenant: new TenantId(row.GetGuid(0)), Id: row.GetGuid(1), Sealed: row.GetFieldValue<byte[]>(2)),
            ct);

        var count = 0;
        foreach (var (tenant, id, old) in secrets.Where(row => box.IsStale(row.Sealed)))
        {
            count += await db.ExecuteAsync(
                tenant,
                "UPDATE viral.webhook_secrets SET secret = $3 WHERE tenant_id = $1 AND id = $2 AND secret = $4",
                [tenant.Value, id, box.Reseal(tenant.Value, WebhookStore.SecretPurpose, old), old],
                ct);
        }

        foreach (var (tenant, id, old) in headers.Where(row => box.IsStale(row.Sealed)))
        {
            // Rows that changed meanwhile were encrypted with the new key.
            count += await db.ExecuteAsync(
                tenant,
                "UPDATE viral.webhook_endpoints SET headers = $3 WHERE tenant_id = $1 AND id = $2 AND headers = $4",
                [tenant.Value, id, WebhookHeaders.Reseal(box, tenant, old), old],
                ct);
        }

        return count;
    }
}
