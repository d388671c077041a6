using System.Text.Json;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Events;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// Tests an endpoint: sends it one <c>webhook.test</c> message, regardless of its subscriptions and whether it is
/// enabled. The delivery is logged like any other.
/// </summary>
public sealed class WebhookTest(
    Db db, SecretBox box, OutgoingHttp outgoing, DeliveryLog log, IOptions<WebhooksOptions> options, TimeProvider time,
    Random random)
{
    /// <summary>Null if the endpoint does not exist.</summary>
    public async Task<WebhookDelivery?> RunAsync(
        TenantId tenant, Guid endpointId, string principal, CancellationToken ct)
    {
        var deliveryId = RowId.New();
        if (await QueueAsync(tenant, endpointId, deliveryId, principal, ct) is not { } delivery)
            return null;

        try
        {
            var attempt = await new WebhookSender(outgoing, box, options, time).SendAsync(delivery, ct);
            await new DeliveryResults(db, options, random).StoreAsync(delivery, attempt, CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            // The client has disconnected: any instance may send it.
            await new DeliveryQueue(db, options).ReleaseAsync(delivery, TimeSpan.Zero, CancellationToken.None);
            throw;
        }

        return (await log.FindAsync(tenant, endpointId, deliveryId, ct))?.Delivery;
    }

    /// <summary>
    /// Stores the message and its delivery, at its last attempt, under a lease that outlives the attempt.
    /// </summary>
    private Task<ClaimedDelivery?> QueueAsync(
        TenantId tenant, Guid endpointId, Guid deliveryId, string principal, CancellationToken ct)
    {
        var messageId = RowId.New();
        var at = time.GetUtcNow().UtcDateTime;
        var payload = JsonSerializer.Serialize(new
        {
            type = EventTypes.WebhookTest,
            timestamp = at,
            data = new { webhook_id = endpointId, by = principal },
        });
        var tries = options.Value.Delays.Count;
        return db.QueryOneAsync(
            tenant,
            """
            WITH endpoint AS (
                SELECT tenant_id, id, url, headers
                FROM viral.webhook_endpoints
                WHERE tenant_id = $1 AND id = $2
            ), message AS (
                INSERT INTO viral.webhook_messages (tenant_id, id, type, payload, created_at)
                SELECT tenant_id, $4, $5, $6, $7
                FROM endpoint
            ), delivery AS (
                INSERT INTO viral.webhook_deliveries (
                    tenant_id, id, endpoint_id, message_id, event_type, subject_id, number, attempts, tries, due_at,
                    leased, created_at)
                SELECT tenant_id, $3, id, $4, $5, $4, 1, 1, $8, now() + $9, true, $7
                FROM endpoint
            )
            SELECT url, headers,
                   ARRAY(
                       SELECT secret
                       FROM viral.webhook_secrets
                       WHERE tenant_id = $1 AND endpoint_id = $2 AND (expires_at IS NULL OR expires_at > now())
                       ORDER BY expires_at DESC NULLS FIRST)
            FROM endpoint
            """,
            [
                tenant.Value, endpointId, deliveryId, messageId, EventTypes.WebhookTest, payload, at, tries,
                TimeSpan.FromSeconds(options.Value.TimeoutSeconds) + DeliveryQueue.Lease,
            ],
            row => new ClaimedDelivery(
                tenant,
                deliveryId,
                Attempt: 1,
                tries,
                row.GetString(0),
                row.IsDBNull(1) ? null : row.GetFieldValue<byte[]>(1),
                row.GetFieldValue<byte[][]>(2),
                messageId,
                payload),
            ct);
    }
}
