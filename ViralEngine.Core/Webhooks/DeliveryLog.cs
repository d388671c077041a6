using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>Deliveries in PostgreSQL for users: read and redeliver.</summary>
public sealed class DeliveryLog(Db db)
{
    /// <summary>
    /// Deliveries, in the order in which <see cref="Read"/> reads them; which attempt they are read with is joined as
    /// <c>attempt</c>.
    /// </summary>
    private const string Select =
        """
        SELECT delivery.id, delivery.message_id, delivery.event_type, delivery.subject_id, delivery.status,
               attempts.count,
               CASE WHEN delivery.status = 'pending' AND NOT delivery.leased AND isfinite(delivery.due_at)
                         AND endpoint.enabled
                    THEN delivery.due_at END,
               delivery.created_at, delivery.completed_at, message.payload,
               attempt.number, attempt.started_at, attempt.duration_ms, attempt.request_headers::text,
               attempt.response_status, attempt.response_headers::text, attempt.response_body, attempt.error
        FROM viral.webhook_deliveries AS delivery
        JOIN viral.webhook_endpoints AS endpoint
          ON endpoint.tenant_id = delivery.tenant_id AND endpoint.id = delivery.endpoint_id
        JOIN viral.webhook_messages AS message
          ON message.tenant_id = delivery.tenant_id AND message.id = delivery.message_id
        CROSS JOIN LATERAL (
            -- Those that were made: a claim that a breaker held back is none, although it took a number.
            SELECT count(*)::integer AS count
            FROM viral.webhook_attempts
            WHERE tenant_id = delivery.tenant_id AND delivery_id = delivery.id) AS attempts
        """;

    /// <summary>
    /// One endpoint's deliveries, newest first. <paramref name="before"/> is the id of the last delivery of the
    /// previous page.
    /// </summary>
    public Task<List<WebhookDelivery>> ListAsync(
        TenantId tenant, Guid endpointId, WebhookDeliveryFilter filter, Guid? before, int limit,
        CancellationToken ct) =>
        db.QueryListAsync(
            tenant,
            $"""
            {Select}
            LEFT JOIN LATERAL (
                SELECT attempts.count AS number, started_at, duration_ms, request_headers, response_status,
                       response_headers, response_body, error
                FROM viral.webhook_attempts
                WHERE tenant_id = delivery.tenant_id AND delivery_id = delivery.id
                ORDER BY webhook_attempts.number DESC
                LIMIT 1) AS attempt ON true
            WHERE delivery.tenant_id = $1 AND delivery.endpoint_id = $2
              AND ($3::uuid IS NULL OR delivery.id < $3)
              AND ($4::text IS NULL OR delivery.status = $4)
              AND ($5::text IS NULL OR $5 LIKE '%.*' OR delivery.event_type = $5)
              AND ($5::text IS NULL OR $5 NOT LIKE '%.*' OR delivery.family = left($5, -2))
              AND ($6::timestamptz IS NULL OR (delivery.created_at >= $6 AND delivery.id >= $9))
              AND ($7::timestamptz IS NULL OR (delivery.created_at < $7 AND delivery.id < $10))
            ORDER BY delivery.id DESC
            LIMIT $8
            """,
            [
                tenant.Value, endpointId, before, filter.Status is { } status ? ToText(status) : null, filter.EventType,
                filter.CreatedAfter, filter.CreatedBefore, limit, Lists.IdFrom(filter.CreatedAfter),
                Lists.IdBefore(filter.CreatedBefore),
            ],
            Read,
            ct);

    /// <summary>Null if the endpoint has no such delivery.</summary>
    public async Task<WebhookDeliveryDetails?> FindAsync(
        TenantId tenant, Guid endpointId, Guid deliveryId, CancellationToken ct)
    {
        var rows = await db.QueryAsync(
            tenant,
            $"""
            {Select}
            LEFT JOIN LATERAL (
                SELECT row_number() OVER (ORDER BY made.number)::integer AS number, started_at, duration_ms,
                       request_headers, response_status, response_headers, response_body, error
                FROM viral.webhook_attempts AS made
                WHERE made.tenant_id = delivery.tenant_id AND made.delivery_id = delivery.id) AS attempt ON true
            WHERE delivery.tenant_id = $1 AND delivery.endpoint_id = $2 AND delivery.id = $3
            ORDER BY attempt.number
            """,
            [tenant.Value, endpointId, deliveryId],
            Read,
            ct);
        return rows.Count == 0
            ? null
            : new WebhookDeliveryDetails(
                rows[^1], [.. rows.Select(row => row.LastAttempt).OfType<WebhookAttemptLog>()]);
    }

    /// <summary>
    /// Queues a delivery again, with its full number of attempts. A running attempt is not affected. False if it does
    /// not exist.
    /// </summary>
    public Task<bool> RedeliverAsync(TenantId tenant, Guid endpointId, Guid deliveryId, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            WITH queued AS (
                UPDATE viral.webhook_deliveries
                SET status = 'pending', tries = 0, due_at = now(), completed_at = NULL
                WHERE tenant_id = $1 AND endpoint_id = $2 AND id = $3 AND NOT leased
            )
            SELECT EXISTS (
                SELECT FROM viral.webhook_deliveries WHERE tenant_id = $1 AND endpoint_id = $2 AND id = $3)
            """,
            [tenant.Value, endpointId, deliveryId],
            row => row.GetBoolean(0),
            ct);

    /// <summary>
    /// Queues all deliveries again that failed permanently, of the messages queued since then, and before
    /// <paramref name="until"/> if that is set.
    /// </summary>
    /// <returns>The number of deliveries.</returns>
    public Task<int> RecoverAsync(
        TenantId tenant, Guid endpointId, DateTime since, DateTime? until, CancellationToken ct) =>
        db.ExecuteAsync(
            tenant,
            """
            UPDATE viral.webhook_deliveries
            SET status = 'pending', tries = 0, due_at = now(), completed_at = NULL
            WHERE tenant_id = $1 AND endpoint_id = $2 AND status = 'failed' AND created_at >= $3 AND id >= $4
              AND ($5::timestamptz IS NULL OR (created_at < $5 AND id < $6))
            """,
            [tenant.Value, endpointId, since, Lists.IdFrom(since), until, Lists.IdBefore(until)],
            ct);

    private static string ToText(WebhookDeliveryStatus status) => status switch
    {
        WebhookDeliveryStatus.Pending => "pending",
        WebhookDeliveryStatus.Delivered => "delivered",
        WebhookDeliveryStatus.Failed => "failed",
    };

    private static WebhookDelivery Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        WebhookMessageId.ToText(row.GetGuid(1)),
        row.GetString(2),
        row.GetGuid(3),
        Enum.Parse<WebhookDeliveryStatus>(row.GetString(4), ignoreCase: true),
        row.GetInt32(5),
        row.GetDateTimeOrNull(6),
        row.GetDateTime(7),
        row.GetDateTimeOrNull(8),
        new WebhookRequest(row.GetJsonOrNull(13), row.GetString(9)),
        row.IsDBNull(10) ? null : ReadAttempt(row));

    private static WebhookAttemptLog ReadAttempt(NpgsqlDataReader row) => new(
        row.GetInt32(10),
        row.GetDateTime(11),
        row.GetInt32(12),
        row.IsDBNull(14) ? null : new WebhookResponse(row.GetInt16(14), row.GetJsonOrNull(15), row.GetStringOrNull(16)),
        row.GetStringOrNull(17));
}
