using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// Deliveries in PostgreSQL for senders: claims under leases by the database's clock, fenced by the attempt number, so
/// that any instance can make the next attempt and a late one changes nothing.
/// </summary>
internal sealed class DeliveryQueue(Db db, IOptions<WebhooksOptions> options)
{
    /// <summary>After this, deliveries of a killed instance are free again.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Claims up to <paramref name="most"/> due deliveries, within each endpoint's concurrency and rate. Endpoints are
    /// in random order, so that none is always last.
    /// </summary>
    /// <remarks>
    /// An instance's places are shared equally between the tenants with due deliveries and one more, so that a newcomer
    /// always finds room, however slow the others' receivers are. Half of a tenant's places are for endpoints that are
    /// known to respond quickly.
    /// </remarks>
    /// <param name="running">The deliveries this instance is sending.</param>
    public Task<List<ClaimedDelivery>> ClaimAsync(
        int most, IReadOnlyCollection<ClaimedDelivery> running, CancellationToken ct)
    {
        var busy = running.GroupBy(delivery => delivery.Tenant).ToList();
        return db.QueryAsync(
            DbScope.AllTenants,
            """
            WITH RECURSIVE queue AS (
                -- The endpoints for which something waits, found by leaps through the index. Nothing due: no leap at
                -- all.
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
            ), due AS (
                -- Those that are known to be quick and those that are not take turns: many of the one kind do not crowd
                -- out the other.
                SELECT endpoint.tenant_id, endpoint.id,
                       row_number() OVER (
                           PARTITION BY endpoint.tenant_id, COALESCE(endpoint.pace = 'fast', false)
                               ORDER BY random()) AS turn
                FROM queue
                JOIN viral.webhook_endpoints AS endpoint
                  ON endpoint.tenant_id = queue.tenant_id AND endpoint.id = queue.endpoint_id
                WHERE endpoint.enabled AND endpoint.ready_at <= now()
                  AND EXISTS (
                      SELECT
                      FROM viral.webhook_deliveries AS due
                      WHERE due.tenant_id = endpoint.tenant_id AND due.endpoint_id = endpoint.id
                          AND due.status = 'pending'
                        AND due.due_at <= now())
            ), busy AS (
                SELECT tenant_id, deliveries, unproven
                FROM unnest($5::uuid[], $6::integer[], $7::integer[]) AS busy (tenant_id, deliveries, unproven)
            ), share AS (
                SELECT wanting.tenant_id, part.places - COALESCE(busy.deliveries, 0) AS places,
                       (part.places + 1) / 2 - COALESCE(busy.unproven, 0) AS unproven_places,
                       COALESCE(busy.deliveries, 0) AS running
                FROM (SELECT tenant_id FROM due UNION SELECT tenant_id FROM busy) AS wanting
                LEFT JOIN busy ON busy.tenant_id = wanting.tenant_id
                CROSS JOIN (
                    SELECT GREATEST($4 / (count(*)::integer + 1), 1) AS places
                    FROM (SELECT tenant_id FROM due UNION SELECT tenant_id FROM busy) AS all_wanting
                ) AS part
            ), ready AS (
                SELECT endpoint.tenant_id, endpoint.id, endpoint.url, endpoint.headers, endpoint.ordering,
                       endpoint.rate_limit,
                       endpoint.ready_at, endpoint.failing_since, COALESCE(endpoint.pace = 'fast', false) AS proven
                FROM due
                JOIN share ON share.tenant_id = due.tenant_id AND share.places > 0
                JOIN viral.webhook_endpoints AS endpoint ON endpoint.tenant_id = due.tenant_id AND endpoint.id = due.id
                WHERE endpoint.enabled AND endpoint.ready_at <= now()
                    AND (endpoint.pace = 'fast' OR share.unproven_places > 0)
                ORDER BY due.turn, random()
                LIMIT $1
                FOR UPDATE OF endpoint SKIP LOCKED
            ), room AS (
                SELECT ready.tenant_id, ready.id, ready.url, ready.headers, ready.ordering, ready.rate_limit,
                       ready.proven,
                       LEAST(
                           CASE WHEN ready.failing_since IS NULL AND ready.proven THEN $2 ELSE LEAST($2, 2) END - (
                               SELECT count(*)
                               FROM viral.webhook_deliveries AS running
                               WHERE running.tenant_id = ready.tenant_id AND running.endpoint_id = ready.id
                                 AND running.leased AND running.due_at > now()),
                           -- One second's worth may go out at once.
                           floor(ready.rate_limit * extract(
                               epoch FROM now() - GREATEST(ready.ready_at, now() - interval '1 second')))
                       ) AS most
                FROM ready
            ), waiting AS (
                SELECT room.tenant_id, room.id, room.url, room.headers, room.rate_limit, room.proven,
                       delivery.id AS delivery_id,
                       row_number() OVER (PARTITION BY room.tenant_id, room.id ORDER BY delivery.id) AS turn
                FROM room
                CROSS JOIN LATERAL (
                    SELECT waiting.id
                    FROM viral.webhook_deliveries AS waiting
                    WHERE waiting.tenant_id = room.tenant_id AND waiting.endpoint_id = room.id
                        AND waiting.status = 'pending'
                      AND waiting.due_at <= now()
                      -- The first of its object. By ORDER BY, else the planner may look for it among all that wait for
                      -- the endpoint.
                      AND (room.ordering = 'none' OR waiting.number = (
                          SELECT earlier.number
                          FROM viral.webhook_deliveries AS earlier
                          WHERE earlier.tenant_id = waiting.tenant_id AND earlier.endpoint_id = waiting.endpoint_id
                            AND earlier.subject_id = waiting.subject_id AND earlier.status = 'pending'
                          ORDER BY earlier.number
                          LIMIT 1))
                    ORDER BY waiting.due_at, waiting.id
                    LIMIT GREATEST(room.most, 0)::bigint
                    FOR UPDATE SKIP LOCKED) AS delivery
            ), turns AS (
                SELECT tenant_id, id, url, headers, rate_limit, proven, delivery_id, turn,
                       row_number() OVER (PARTITION BY tenant_id, proven
                           ORDER BY turn, delivery_id) AS place_of_its_kind
                FROM waiting
            ), places AS (
                SELECT turns.tenant_id, turns.id, turns.url, turns.headers, turns.rate_limit, turns.proven,
                       turns.delivery_id,
                       row_number() OVER (PARTITION BY turns.tenant_id ORDER BY turns.turn, turns.delivery_id) AS place
                FROM turns
                JOIN share ON share.tenant_id = turns.tenant_id
                WHERE turns.proven OR turns.place_of_its_kind <= share.unproven_places
            ), picked AS (
                SELECT places.tenant_id, places.id, places.url, places.headers, places.rate_limit, places.proven,
                       places.delivery_id
                FROM places
                JOIN share ON share.tenant_id = places.tenant_id AND places.place <= share.places
                ORDER BY share.running + places.place
                LIMIT $1
            ), paced AS (
                -- By the rate that was read under the lock: the row itself may have another by the time it is written.
                UPDATE viral.webhook_endpoints AS endpoint
                SET ready_at = GREATEST(endpoint.ready_at, now() - interval '1 second')
                    + sent.count * interval '1 second' / sent.rate_limit
                FROM (
                    SELECT tenant_id, id, rate_limit, count(*)
                    FROM picked
                    WHERE rate_limit IS NOT NULL
                    GROUP BY tenant_id, id, rate_limit
                ) AS sent
                WHERE endpoint.tenant_id = sent.tenant_id AND endpoint.id = sent.id
            ), claimed AS (
                UPDATE viral.webhook_deliveries AS delivery
                SET leased = true, due_at = now() + $3, attempts = delivery.attempts + 1
                FROM picked
                WHERE delivery.tenant_id = picked.tenant_id AND delivery.id = picked.delivery_id
                RETURNING delivery.tenant_id, delivery.id, delivery.attempts, delivery.tries, picked.url,
                    picked.headers,
                          delivery.message_id, delivery.endpoint_id, picked.proven
            )
            SELECT claimed.tenant_id, claimed.id, claimed.attempts, claimed.tries, claimed.url, claimed.headers,
                   ARRAY(
                       SELECT secret.secret
                       FROM viral.webhook_secrets AS secret
                       WHERE secret.tenant_id = claimed.tenant_id AND secret.endpoint_id = claimed.endpoint_id
                         AND (secret.expires_at IS NULL OR secret.expires_at > now())
                       ORDER BY secret.expires_at DESC NULLS FIRST),
                   message.id, message.payload, claimed.proven
            FROM claimed
            JOIN viral.webhook_messages AS message
              ON message.tenant_id = claimed.tenant_id AND message.id = claimed.message_id
            """,
            [
                most, options.Value.ConcurrencyPerEndpoint, Lease, options.Value.Concurrency,
                busy.Select(tenant => tenant.Key.Value).ToArray(), busy.Select(tenant => tenant.Count()).ToArray(),
                busy.Select(tenant => tenant.Count(delivery => !delivery.Proven)).ToArray(),
            ],
            row => new ClaimedDelivery(
                new TenantId(row.GetGuid(0)),
                row.GetGuid(1),
                row.GetInt32(2),
                row.GetInt32(3),
                row.GetString(4),
                row.IsDBNull(5) ? null : row.GetFieldValue<byte[]>(5),
                row.GetFieldValue<byte[][]>(6),
                row.GetGuid(7),
                row.GetString(8),
                row.GetBoolean(9)),
            ct);
    }

    /// <summary>As above, for an idle instance.</summary>
    public Task<List<ClaimedDelivery>> ClaimAsync(int most, CancellationToken ct) => ClaimAsync(most, [], ct);

    /// <summary>Renews the leases of running attempts.</summary>
    public Task<int> RenewAsync(IReadOnlyCollection<ClaimedDelivery> held, CancellationToken ct) =>
        db.ExecuteAsync(
            DbScope.AllTenants,
            """
            WITH free AS (
                -- What is locked is being settled, and needs its lease no more. To wait for it would be to wait in a
                -- circle: others that are
                -- settled wait for their endpoint, and it for what is held here.
                SELECT delivery.tenant_id, delivery.id
                FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS held (tenant_id, id, attempts)
                JOIN viral.webhook_deliveries AS delivery
                  ON delivery.tenant_id = held.tenant_id AND delivery.id = held.id AND delivery.attempts = held.attempts
                WHERE delivery.leased
                FOR UPDATE OF delivery SKIP LOCKED
            )
            UPDATE viral.webhook_deliveries AS delivery
            SET due_at = now() + $4
            FROM free
            WHERE delivery.tenant_id = free.tenant_id AND delivery.id = free.id
            """,
            [
                held.Select(delivery => delivery.Tenant.Value).ToArray(),
                held.Select(delivery => delivery.Id).ToArray(),
                held.Select(delivery => delivery.Attempt).ToArray(),
                Lease,
            ],
            ct);

    /// <summary>Releases an unsent delivery, for any instance to claim after <paramref name="wait"/>.</summary>
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
            SET leased = false, held = delivery.held + 1,
                due_at = CASE WHEN endpoint.enabled THEN now() + $4 ELSE 'infinity' END
            FROM endpoint
            WHERE delivery.tenant_id = $1 AND delivery.id = $2 AND delivery.attempts = $3 AND delivery.leased
            """,
            [delivery.Tenant.Value, delivery.Id, delivery.Attempt, wait],
            ct);
}
