using System.Text;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Idempotency;

/// <summary>
/// Keys and their stored responses. A claim is committed immediately, so that others see it; the response is stored in
/// the transaction of the effect, under the claim, so that a lost claim commits nothing.
/// </summary>
public sealed class IdempotencyStore(Db db, SecretBox secrets, IOptions<IdempotencyOptions> options)
{
    private const string Purpose = "idempotency";

    public abstract record Claim
    {
        /// <summary>The key was free and is now claimed under <paramref name="Token"/>.</summary>
        public sealed record Taken(Guid Token) : Claim;

        /// <summary>The first request with this key is in progress.</summary>
        public sealed record InFlight : Claim;

        /// <summary>The first request has a response: the same request gets it again.</summary>
        public sealed record Answered(Fingerprint Fingerprint, StoredAnswer Answer) : Claim;
    }

    /// <summary>Claims the key if it is free: new, expired, or left by a dead process.</summary>
    public async Task<Claim> ClaimAsync(IdempotencyScope scope, CancellationToken ct)
    {
        var token = Guid.CreateVersion7();
        object?[] key = [scope.Tenant.Value, scope.Principal, scope.Method, scope.Route, scope.Key];
        await using var batch = db.Batch(scope.Tenant)
            .Add(
                """
                INSERT INTO viral.idempotency_keys AS held (
                    tenant_id, principal, method, route, key, claim, lease_until, expires_at)
                VALUES ($1, $2, $3, $4, $5, $6, now() + $7, now() + $8)
                ON CONFLICT (tenant_id, principal, method, route, key) DO UPDATE
                SET claim = excluded.claim, lease_until = excluded.lease_until, expires_at = excluded.expires_at,
                    fingerprint = NULL, body_length = NULL, status = NULL, content_type = NULL, location = NULL,
                    answer = NULL
                WHERE held.lease_until < now() OR (held.status IS NOT NULL AND held.expires_at < now())
                RETURNING true
                """,
                [.. key, token, options.Value.Lease, options.Value.Retention])
            .Add(
                """
                SELECT fingerprint, body_length, status, content_type, location, answer
                FROM viral.idempotency_keys
                WHERE tenant_id = $1 AND principal = $2 AND method = $3 AND route = $4 AND key = $5
                """,
                key);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (await reader.ReadAsync(ct))
            return new Claim.Taken(token);

        await reader.NextResultAsync(ct);
        return await reader.ReadAsync(ct) && !reader.IsDBNull(2) ? Answered(scope, reader) : new Claim.InFlight();
    }

    /// <summary>Renews the claim. False if it was lost or already has a response.</summary>
    public async Task<bool> RenewAsync(IdempotencyScope scope, Guid token, CancellationToken ct) =>
        await db.ExecuteAsync(
            scope.Tenant,
            """
            UPDATE viral.idempotency_keys
            SET lease_until = now() + $7
            WHERE tenant_id = $1 AND principal = $2 AND method = $3 AND route = $4 AND key = $5 AND claim = $6
                AND status IS NULL
            """,
            [scope.Tenant.Value, scope.Principal, scope.Method, scope.Route, scope.Key, token, options.Value.Lease],
            ct) > 0;

    /// <summary>
    /// Stores the response in the open transaction. False if the claim was lost: then the transaction must not be
    /// committed. From here to its end, other claims wait.
    /// </summary>
    public async Task<bool> AnswerAsync(
        IdempotencyScope scope, Guid token, Fingerprint fingerprint, StoredAnswer answer, CancellationToken ct) =>
        await db.ExecuteAsync(
            scope.Tenant,
            """
            UPDATE viral.idempotency_keys
            SET fingerprint = $7, body_length = $8, status = $9, content_type = $10, location = $11, answer = $12,
                lease_until = NULL, expires_at = now() + $13
            WHERE tenant_id = $1 AND principal = $2 AND method = $3 AND route = $4 AND key = $5 AND claim = $6
                AND status IS NULL
            """,
            [
                scope.Tenant.Value, scope.Principal, scope.Method, scope.Route, scope.Key, token, fingerprint.Hash,
                fingerprint.BodyLength, (short)answer.Status, answer.ContentType, answer.Location,
                secrets.Seal(scope.Tenant.Value, Purpose, Encoding.UTF8.GetString(answer.Body)),
                options.Value.Retention,
            ],
            ct) > 0;

    /// <summary>Releases a key whose request had no effect.</summary>
    public Task<int> ReleaseAsync(IdempotencyScope scope, Guid token, CancellationToken ct) =>
        db.ExecuteAsync(
            scope.Tenant,
            """
            DELETE FROM viral.idempotency_keys
            WHERE tenant_id = $1 AND principal = $2 AND method = $3 AND route = $4 AND key = $5 AND claim = $6
                AND status IS NULL
            """,
            [scope.Tenant.Value, scope.Principal, scope.Method, scope.Route, scope.Key, token],
            ct);

    /// <summary>Removes up to <paramref name="limit"/> expired keys of all tenants.</summary>
    /// <returns>The number removed.</returns>
    public Task<int> SweepAsync(int limit, CancellationToken ct) =>
        db.ExecuteAsync(
            DbScope.AllTenants,
            """
            WITH expired AS (
                SELECT tenant_id, principal, method, route, key
                FROM viral.idempotency_keys
                WHERE expires_at < now() AND (lease_until IS NULL OR lease_until < now())
                LIMIT $1
                FOR UPDATE SKIP LOCKED
            )
            DELETE FROM viral.idempotency_keys AS held
            USING expired
            WHERE held.tenant_id = expired.tenant_id AND held.principal = expired.principal
              AND held.method = expired.method AND held.route = expired.route AND held.key = expired.key
            """,
            [limit],
            ct);

    private Claim.Answered Answered(IdempotencyScope scope, NpgsqlDataReader row) => new(
        new Fingerprint(row.GetFieldValue<byte[]>(0), row.GetInt64(1)),
        new StoredAnswer(
            row.GetInt16(2),
            row.GetStringOrNull(3),
            row.GetStringOrNull(4),
            Encoding.UTF8.GetBytes(secrets.Open(scope.Tenant.Value, Purpose, row.GetFieldValue<byte[]>(5)))));
}
