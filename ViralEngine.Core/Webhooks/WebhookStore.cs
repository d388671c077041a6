using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// A tenant's webhook endpoints in PostgreSQL, their secrets and headers encrypted. Each call is one round trip.
/// </summary>
public sealed class WebhookStore(Db db, SecretBox box, IOptions<WebhooksOptions> options)
{
    internal const string SecretPurpose = "webhook secret";

    /// <summary>In the order in which <see cref="Read"/> reads them.</summary>
    private const string Columns =
        """
        id, url, description, event_types, ordering, rate_limit, header_names, enabled, disabled_reason, disabled_at,
        failing_since, created_by, created_at, updated_at
        """;

    /// <summary>Null if the tenant has the maximum number of endpoints.</summary>
    public Task<WebhookEndpoint?> AddAsync(
        TenantId tenant, Guid id, NewWebhookEndpoint endpoint, string secret, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            WITH endpoint AS (
                INSERT INTO viral.webhook_endpoints (
                    tenant_id, id, url, description, event_types, ordering, rate_limit, headers, header_names, enabled,
                    disabled_reason, disabled_at, created_by)
                SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
                       CASE WHEN NOT $10 THEN 'user' END, CASE WHEN NOT $10 THEN now() END, $11
                WHERE (SELECT count(*) FROM viral.webhook_endpoints WHERE tenant_id = $1) < $14
                RETURNING *
            ), secret AS (
                INSERT INTO viral.webhook_secrets (tenant_id, endpoint_id, id, secret)
                SELECT tenant_id, id, $12, $13
                FROM endpoint
            )
            SELECT {Columns}
            FROM endpoint
            """,
            [
                tenant.Value, id, endpoint.Url, endpoint.Description, endpoint.EventTypes, ToText(endpoint.Ordering),
                endpoint.RateLimit, WebhookHeaders.Seal(box, tenant, endpoint.Headers), endpoint.Headers.Keys.ToArray(),
                endpoint.Enabled, endpoint.CreatedBy, RowId.New(), box.Seal(tenant.Value, SecretPurpose, secret),
                (long)options.Value.MaxEndpoints,
            ],
            Read,
            ct);

    public Task<WebhookEndpoint?> FindAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.webhook_endpoints
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id],
            Read,
            ct);

    /// <summary>Reads and locks the endpoint until the end of the open transaction.</summary>
    public Task<WebhookEndpoint?> LockAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.webhook_endpoints
            WHERE tenant_id = $1 AND id = $2
            FOR UPDATE
            """,
            [tenant.Value, id],
            Read,
            ct);

    /// <summary>Newest first. <paramref name="before"/> is the id of the last endpoint of the page before.</summary>
    public Task<List<WebhookEndpoint>> ListAsync(TenantId tenant, Guid? before, int limit, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.webhook_endpoints
            WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
            ORDER BY id DESC
            LIMIT $3
            """,
            [tenant.Value, before, limit],
            Read,
            ct);

    /// <summary>
    /// Changes an endpoint. Deliveries of a disabled one are held until it is enabled again, which also resets its
    /// failures. Null if it does not exist.
    /// </summary>
    public async Task<WebhookEndpoint?> ChangeAsync(
        TenantId tenant, Guid id, WebhookChange change, CancellationToken ct)
    {
        // A separate statement locks the endpoint, so that the next one sees what attempts stored meanwhile.
        await using var batch = db.Batch(tenant);
        batch.Add(
            "SELECT FROM viral.webhook_endpoints WHERE tenant_id = $1 AND id = $2 FOR UPDATE", [tenant.Value, id]);
        batch.Add(
            $"""
            WITH endpoint AS (
                UPDATE viral.webhook_endpoints
                SET url = COALESCE($3, url),
                    pace = CASE WHEN $3 <> url THEN NULL ELSE pace END,
                    description = NULLIF(COALESCE($4, description), ''),
                    event_types = COALESCE($5, event_types),
                    ordering = COALESCE($6, ordering),
                    rate_limit = NULLIF(COALESCE($7, rate_limit), 0),
                    headers = CASE WHEN $9::text[] IS NULL THEN headers ELSE $8 END,
                    header_names = COALESCE($9, header_names),
                    enabled = COALESCE($10, enabled),
                    disabled_reason = CASE WHEN NOT COALESCE($10, enabled) THEN COALESCE(disabled_reason, 'user') END,
                    disabled_at = CASE WHEN NOT COALESCE($10, enabled) THEN COALESCE(disabled_at, now()) END,
                    failing_since = CASE WHEN $10 THEN NULL ELSE failing_since END,
                    ready_at = CASE WHEN $10 THEN '-infinity' ELSE ready_at END,
                    updated_at = now()
                WHERE tenant_id = $1 AND id = $2
                RETURNING *
            ), waiting AS (
                UPDATE viral.webhook_deliveries AS delivery
                SET due_at = CASE WHEN endpoint.enabled THEN now() ELSE 'infinity' END
                FROM endpoint
                WHERE delivery.tenant_id = endpoint.tenant_id AND delivery.endpoint_id = endpoint.id
                  AND delivery.status = 'pending' AND NOT delivery.leased
                  AND endpoint.enabled = (delivery.due_at = 'infinity')
            )
            SELECT {Columns}
            FROM endpoint
            """,
            [
                tenant.Value, id, change.Url, change.Description, change.EventTypes,
                change.Ordering is { } ordering ? ToText(ordering) : null, change.RateLimit,
                change.Headers is null ? null : WebhookHeaders.Seal(box, tenant, change.Headers),
                change.Headers?.Keys.ToArray(), change.Enabled,
            ]);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        return await reader.ReadAsync(ct) ? Read(reader) : null;
    }

    /// <summary>Deletes an endpoint with its waiting deliveries and its log.</summary>
    public Task<bool> DeleteAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            WITH endpoint AS (
                DELETE FROM viral.webhook_endpoints
                WHERE tenant_id = $1 AND id = $2
                RETURNING tenant_id, id
            ), deliveries AS (
                DELETE FROM viral.webhook_deliveries AS delivery
                USING endpoint
                WHERE delivery.tenant_id = endpoint.tenant_id AND delivery.endpoint_id = endpoint.id
            ), events AS (
                DELETE FROM viral.events AS event
                USING endpoint
                WHERE event.tenant_id = endpoint.tenant_id AND event.subject_id = endpoint.id
            )
            SELECT EXISTS (SELECT FROM endpoint)
            """,
            [tenant.Value, id],
            row => row.GetBoolean(0),
            ct);

    /// <summary>
    /// Sets a new secret. Messages are also signed with the old ones until the overlap ends, so that receivers can
    /// switch meanwhile. Returns when the old secrets expire; null if the endpoint does not exist.
    /// </summary>
    public async Task<DateTime?> RotateSecretAsync(
        TenantId tenant, Guid id, string secret, TimeSpan overlap, CancellationToken ct)
    {
        // Two statements, because only one secret can be current at a time.
        await using var batch = db.Batch(tenant)
            .Add(
                """
                WITH endpoint AS (
                    UPDATE viral.webhook_endpoints
                    SET updated_at = now()
                    WHERE tenant_id = $1 AND id = $2
                    RETURNING tenant_id, id
                ), forgotten AS (
                    DELETE FROM viral.webhook_secrets
                    WHERE tenant_id = $1 AND endpoint_id = $2 AND expires_at <= now()
                ), replaced AS (
                    UPDATE viral.webhook_secrets
                    SET expires_at = LEAST(expires_at, now() + $3)
                    WHERE tenant_id = $1 AND endpoint_id = $2 AND (expires_at IS NULL OR expires_at > now())
                )
                SELECT now() + $3
                FROM endpoint
                """,
                [tenant.Value, id, overlap])
            .Add(
                """
                INSERT INTO viral.webhook_secrets (tenant_id, endpoint_id, id, secret)
                SELECT tenant_id, id, $3, $4
                FROM viral.webhook_endpoints
                WHERE tenant_id = $1 AND id = $2
                """,
                [tenant.Value, id, RowId.New(), box.Seal(tenant.Value, SecretPurpose, secret)]);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        DateTime? ends = await reader.ReadAsync(ct) ? reader.GetDateTime(0) : null;
        await reader.NextResultAsync(ct);
        return ends;
    }

    private static string ToText(WebhookOrdering ordering) =>
        ordering == WebhookOrdering.PerObject ? "per_object" : "none";

    private static WebhookEndpoint Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetString(1),
        row.GetStringOrNull(2),
        row.GetFieldValue<string[]>(3),
        row.GetString(4) == "per_object" ? WebhookOrdering.PerObject : WebhookOrdering.None,
        row.GetInt32OrNull(5),
        row.GetFieldValue<string[]>(6),
        row.GetBoolean(7),
        row.IsDBNull(8) ? null : Enum.Parse<WebhookDisabledReason>(row.GetString(8), ignoreCase: true),
        row.GetDateTimeOrNull(9),
        row.GetDateTimeOrNull(10),
        row.GetString(11),
        row.GetDateTime(12),
        row.GetDateTime(13));
}
