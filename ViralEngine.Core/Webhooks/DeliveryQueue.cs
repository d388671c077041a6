using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// The sending side of deliveries in PostgreSQL: claims under leases of the database's clock, fenced by the attempt's number, so
/// that any instance does the next attempt and a late one changes nothing.
/// </summary>
internal sealed class DeliveryQueue(Db db, IOptions<WebhooksOptions> options)
{
    /// <summary>What a killed instance was sending is free again after this.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Takes up to <paramref name="most"/> deliveries that are due, of each endpoint no more than its share of attempts at a
    /// time and its rate allow; endpoints come in no order, so that none is always last.
    /// </summary>
    public Task<List<ClaimedDelivery>> ClaimAsync(int most, CancellationToken ct) =>
        db.QueryAsync(
            DbScope.AllTenants,
            """
            WITH RECURSIVE queue AS (
                -- The endpoints for which something waits, found by leaps through the index. Nothing due: no leap at all.
                (SELECT tenant_id, endpoint_id
                 FROM viral.webhook_deliveries
                 WHERE status = 'pending'
                   AND EXISTS (SELECT FROM viral.webhook_deliveries WHERE status = 'pending' AND due_at <= now())
                 ORDER BY tenant_id, endpoint_id
                 LIMIT 1)
                UNION ALL
                SELECT next.tenant_id, next.endpoint_id
                FROM queue
                CROSS JOIN LATERAL (
                    SELECT tenant_id, endpoint_id
                    FROM viral.webhook_deliveries
                    WHERE status = 'pending' AND (tenant_id, endpoint_id) > (queue.tenant_id, queue.endpoint_id)
                    ORDER BY tenant_id, endpoint_id
                    LIMIT 1) AS next
            ), ready AS (
                SELECT endpoint.tenant_id, endpoint.id, endpoint.url, endpoint.headers, endpoint.ordering, endpoint.rate_limit,
                       endpoint.ready_at, endpoint.failing_since
                FROM queue
                JOIN viral.webhook_endpoints AS endpoint
                  ON endpoint.tenant_id = queue.tenant_id AND endpoint.id = queue.endpoint_id
                WHERE endpoint.enabled AND endpoint.ready_at <= now()
                  AND EXISTS (
                      SELECT
                      FROM viral.webhook_deliveries AS due
                      WHERE due.tenant_id = endpoint.tenant_id AND due.endpoint_id = endpoint.id AND due.status = 'pending'
                        AND due.due_at <= now())
                ORDER BY random()
                LIMIT $1
                FOR UPDATE OF endpoint SKIP LOCKED
            ), room AS (
                SELECT ready.tenant_id, ready.id, ready.url, ready.headers, ready.ordering, ready.rate_limit,
                       LEAST(
                           CASE WHEN ready.failing_since IS NULL THEN $2 ELSE LEAST($2, 2) END - (
                               SELECT count(*)
                               FROM viral.webhook_deliveries AS running
                               WHERE running.tenant_id = ready.tenant_id AND running.endpoint_id = ready.id
                                 AND running.leased AND running.due_at > now()),
                           -- One second's worth may go out at once.
                           floor(ready.rate_limit * extract(
                               epoch FROM now() - GREATEST(ready.ready_at, now() - interval '1 second')))
                       ) AS most
                FROM ready
            ), picked AS (
                SELECT room.tenant_id, room.id, room.url, room.headers, room.rate_limit, delivery.id AS delivery_id
                FROM room
                CROSS JOIN LATERAL (
                    SELECT waiting.id
                    FROM viral.webhook_deliveries AS waiting
                    WHERE waiting.tenant_id = room.tenant_id AND waiting.endpoint_id = room.id AND waiting.status = 'pending'
                      AND waiting.due_at <= now()
                      AND (room.ordering = 'none' OR NOT EXISTS (
                          SELECT
                          FROM viral.webhook_deliveries AS earlier
                          WHERE earlier.tenant_id = waiting.tenant_id AND earlier.endpoint_id = waiting.endpoint_id
                            AND earlier.subject_id = waiting.subject_id AND earlier.number < waiting.number
                            AND earlier.status = 'pending'))
                    ORDER BY waiting.due_at, waiting.id
                    LIMIT GREATEST(room.most, 0)::bigint
                    FOR UPDATE SKIP LOCKED) AS delivery
                LIMIT $1
            ), paced AS (
                UPDATE viral.webhook_endpoints AS endpoint
                SET ready_at = GREATEST(endpoint.ready_at, now() - interval '1 second')
                    + sent.count * interval '1 second' / endpoint.rate_limit
                FROM (SELECT tenant_id, id, count(*) FROM picked WHERE rate_limit IS NOT NULL GROUP BY tenant_id, id) AS sent
                WHERE endpoint.tenant_id = sent.tenant_id AND endpoint.id = sent.id
            ), claimed AS (
                UPDATE viral.webhook_deliveries AS delivery
                SET leased = true, due_at = now() + $3, attempts = delivery.attempts + 1
                FROM picked
                WHERE delivery.tenant_id = picked.tenant_id AND delivery.id = picked.delivery_id
                RETURNING delivery.tenant_id, delivery.id, delivery.attempts, delivery.tries, picked.url, picked.headers,
                          delivery.message_id, delivery.endpoint_id
            )
            SELECT claimed.tenant_id, claimed.id, claimed.attempts, claimed.tries, claimed.url, claimed.headers,
                   ARRAY(
                       SELECT secret.secret
                       FROM viral.webhook_secrets AS secret
                       WHERE secret.tenant_id = claimed.tenant_id AND secret.endpoint_id = claimed.endpoint_id
                         AND (secret.expires_at IS NULL OR secret.expires_at > now())
                       ORDER BY secret.expires_at DESC NULLS FIRST),
                   message.id, message.payload
            FROM claimed
            JOIN viral.webhook_messages AS message
              ON message.tenant_id = claimed.tenant_id AND message.id = claimed.message_id
            """,
            [most, options.Value.ConcurrencyPerEndpoint, Lease],
            row => new ClaimedDelivery(
                new TenantId(row.GetGuid(0)),
                row.GetGuid(1),
                row.GetInt32(2),
                row.GetInt32(3),
                row.GetString(4),
                row.IsDBNull(5) ? null : row.GetFieldValue<byte[]>(5),
                row.GetFieldValue<byte[][]>(6),
                row.GetGuid(7),
                row.GetString(8)),
            ct);

    /// <summary>Keeps the leases of what is being sent.</summary>
    public Task<int> RenewAsync(IReadOnlyCollection<ClaimedDelivery> held, CancellationToken ct) =>
        db.ExecuteAsync(
            DbScope.AllTenants,
            """
            UPDATE viral.webhook_deliveries AS delivery
            SET due_at = now() + $4
            FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS held (tenant_id, id, attempts)
            WHERE delivery.tenant_id = held.tenant_id AND delivery.id = held.id AND delivery.attempts = held.attempts
              AND delivery.leased
            """,
            [
                held.Select(delivery => delivery.Tenant.Value).ToArray(),
                held.Select(delivery => delivery.Id).ToArray(),
                held.Select(delivery => delivery.Attempt).ToArray(),
                Lease,
            ],
            ct);

    /// <summary>Gives back what was not sent, for any instance to take once <paramref name="wait"/> is over.</summary>
    public Task<int> ReleaseAsync(ClaimedDelivery delivery, TimeSpan wait, CancellationToken ct) =>
        db.ExecuteAsync(
            delivery.Tenant,
            """
            WITH endpoint AS (
                -- Locked, so that one that is just being disabled holds this too.
                SELECT endpoint.enabled
                FROM viral.webhook_deliveries AS delivery
                JOIN viral.webhook_endpoints AS endpoint
                  ON endpoint.tenant_id = delivery.tenant_id AND endpoint.id = delivery.endpoint_id
                WHERE delivery.tenant_id = $1 AND delivery.id = $2 AND delivery.attempts = $3 AND delivery.leased
                FOR UPDATE OF endpoint
            )
            UPDATE viral.webhook_deliveries AS delivery
            SET leased = false, due_at = CASE WHEN endpoint.enabled THEN now() + $4 ELSE 'infinity' END
            FROM endpoint
            WHERE delivery.tenant_id = $1 AND delivery.id = $2 AND delivery.attempts = $3 AND delivery.leased
            """,
            [delivery.Tenant.Value, delivery.Id, delivery.Attempt, wait],
            ct);
}
