using System.Text.Json;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>Applies an attempt's outcome to its delivery and endpoint, in one transaction.</summary>
internal sealed class DeliveryResults(Db db, IOptions<WebhooksOptions> options, Random random)
{
    /// <summary>
    /// A faster response marks an endpoint as quick, one slower than the upper bound as slow; in between, nothing
    /// changes.
    /// </summary>
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);

    /// <summary>False if the lease was lost and nothing changed.</summary>
    public Task<bool> StoreAsync(ClaimedDelivery delivery, WebhookAttempt attempt, CancellationToken ct)
    {
        if (attempt.Succeeded)
            return SucceedAsync(delivery, attempt, ct);
        // A receiver that is gone will not respond to a retry.
        var delay = attempt.Gone
            ? null
            : RetrySchedule.Delay(options.Value.Delays, delivery.Tries, attempt.RetryAfter, random);
        return FailAsync(delivery, attempt, delay, ct);
    }

    private Task<bool> SucceedAsync(ClaimedDelivery delivery, WebhookAttempt attempt, CancellationToken ct) =>
        db.QueryOneAsync(
            delivery.Tenant,
            """
            WITH delivered AS (
                UPDATE viral.webhook_deliveries
                SET status = 'delivered', leased = false, completed_at = now()
                WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND leased
                RETURNING tenant_id, id, endpoint_id
            ), attempt AS (
                INSERT INTO viral.webhook_attempts (
                    tenant_id, delivery_id, number, started_at, duration_ms, request_headers, response_status,
                    response_headers, response_body, error)
                SELECT tenant_id, id, $3, $4, $5, $6::json, $7, $8::json, $9, $10
                FROM delivered
            ), endpoint AS (
                UPDATE viral.webhook_endpoints AS endpoint
                SET failing_since = NULL, pace = COALESCE($11, endpoint.pace)
                FROM delivered
                WHERE endpoint.tenant_id = delivered.tenant_id AND endpoint.id = delivered.endpoint_id
                  AND (endpoint.failing_since IS NOT NULL OR endpoint.pace IS DISTINCT
                      FROM COALESCE($11, endpoint.pace))
            )
            SELECT EXISTS (SELECT FROM delivered)
            """,
            [.. Arguments(delivery, attempt), PaceOf(attempt)],
            row => row.GetBoolean(0),
            ct);

    /// <summary>
    /// Schedules a retry after <paramref name="delay"/>, or none if that is null. Disables the endpoint if it is gone
    /// or has failed for too long; its waiting deliveries are then held. A separate statement locks the endpoint, so
    /// that the next one sees and holds what other attempts stored meanwhile.
    /// </summary>
    private async Task<bool> FailAsync(
        ClaimedDelivery delivery, WebhookAttempt attempt, TimeSpan? delay, CancellationToken ct)
    {
        await using var batch = db.Batch(delivery.Tenant);
        batch.Add(
            """
            SELECT
            FROM viral.webhook_deliveries AS delivery
            JOIN viral.webhook_endpoints AS endpoint
              ON endpoint.tenant_id = delivery.tenant_id AND endpoint.id = delivery.endpoint_id
            WHERE delivery.tenant_id = $1 AND delivery.id = $2 AND delivery.attempts = $3 AND delivery.leased
            FOR UPDATE OF endpoint
            """,
            [delivery.Tenant.Value, delivery.Id, delivery.Attempt]);
        batch.Add(
            $$"""
            WITH before AS (
                SELECT endpoint.tenant_id, endpoint.id, endpoint.enabled,
                       endpoint.enabled AND ($13 OR COALESCE(endpoint.failing_since <= now() - $14, false)) AS ends
                FROM viral.webhook_deliveries AS delivery
                JOIN viral.webhook_endpoints AS endpoint
                  ON endpoint.tenant_id = delivery.tenant_id AND endpoint.id = delivery.endpoint_id
                WHERE delivery.tenant_id = $1 AND delivery.id = $2 AND delivery.attempts = $3 AND delivery.leased
            ), endpoint AS (
                UPDATE viral.webhook_endpoints AS endpoint
                SET failing_since = COALESCE(endpoint.failing_since, now()),
                    pace = COALESCE($15, endpoint.pace),
                    ready_at = GREATEST(endpoint.ready_at, now() + $12),
                    enabled = endpoint.enabled AND NOT before.ends,
                    disabled_reason = CASE
                        WHEN NOT before.ends THEN endpoint.disabled_reason
                        WHEN $13 THEN 'gone'
                        ELSE 'failing' END,
                    disabled_at = CASE WHEN before.ends THEN now() ELSE endpoint.disabled_at END,
                    last_event = endpoint.last_event + before.ends::integer
                FROM before
                WHERE endpoint.tenant_id = before.tenant_id AND endpoint.id = before.id
                  AND (endpoint.failing_since IS NULL OR $12::interval IS NOT NULL OR before.ends
                      OR endpoint.pace IS DISTINCT FROM COALESCE($15, endpoint.pace))
                RETURNING endpoint.tenant_id, endpoint.id, endpoint.url, endpoint.failing_since,
                    endpoint.disabled_reason,
                          endpoint.last_event, before.ends
            ), failed AS (
                UPDATE viral.webhook_deliveries AS delivery
                SET status = CASE WHEN $11::interval IS NULL THEN 'failed' ELSE 'pending' END,
                    leased = false,
                    tries = delivery.tries + 1,
                    due_at = CASE
                        WHEN before.enabled AND NOT before.ends THEN now() + COALESCE($11, interval '0')
                        ELSE 'infinity' END,
                    completed_at = CASE WHEN $11::interval IS NULL THEN now() END
                FROM before
                WHERE delivery.tenant_id = $1 AND delivery.id = $2 AND delivery.attempts = $3 AND delivery.leased
                RETURNING delivery.tenant_id, delivery.id
            ), attempt AS (
                INSERT INTO viral.webhook_attempts (
                    tenant_id, delivery_id, number, started_at, duration_ms, request_headers, response_status,
                    response_headers, response_body, error)
                SELECT tenant_id, id, $3, $4, $5, $6::json, $7, $8::json, $9, $10
                FROM failed
            ), held AS (
                UPDATE viral.webhook_deliveries AS delivery
                SET due_at = 'infinity'
                FROM endpoint
                WHERE endpoint.ends AND delivery.tenant_id = endpoint.tenant_id AND delivery.endpoint_id = endpoint.id
                  AND delivery.status = 'pending' AND NOT delivery.leased
            ), event AS (
                INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
                SELECT tenant_id, id, last_event, '{{EventTypes.WebhookDisabled}}',
                       jsonb_build_object(
                           'webhook_id', id, 'url', split_part(url, '?', 1), 'reason', disabled_reason,
                           'failing_since', failing_since),
                       now()
                FROM endpoint
                WHERE ends
            )
            SELECT EXISTS (SELECT FROM failed)
            """,
            [
                .. Arguments(delivery, attempt), delay, RetrySchedule.Cap(attempt.RetryAfter), attempt.Gone,
                options.Value.DisableAfter, PaceOf(attempt),
            ]);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        return await reader.ReadAsync(ct) && reader.GetBoolean(0);
    }

    private static string? PaceOf(WebhookAttempt attempt) =>
        attempt.Duration > Slow ? "slow" : attempt.Succeeded && attempt.Duration < Quick ? "fast" : null;

    private static object?[] Arguments(ClaimedDelivery delivery, WebhookAttempt attempt) =>
    [
        delivery.Tenant.Value, delivery.Id, delivery.Attempt, attempt.StartedAt,
        (int)attempt.Duration.TotalMilliseconds, JsonSerializer.Serialize(attempt.RequestHeaders),
        (short?)attempt.ResponseStatus,
        attempt.ResponseHeaders is null ? null : JsonSerializer.Serialize(attempt.ResponseHeaders),
        attempt.ResponseBody, attempt.Error,
    ];
}
