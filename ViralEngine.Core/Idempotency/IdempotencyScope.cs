using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Idempotency;

/// <summary>The scope within which an <c>Idempotency-Key</c> is unique.</summary>
/// <param name="Tenant">Empty for the platform.</param>
/// <param name="Principal">The caller: <c>api_key:…</c>, <c>user:…</c> or <c>platform</c>.</param>
/// <param name="Route">The route's template: <c>tasks/{id}/cancel</c>.</param>
/// <param name="Key">1 to 255 visible ASCII characters.</param>
public sealed record IdempotencyScope(TenantId Tenant, string Principal, string Method, string Route, string Key);

/// <summary>The identity of a request: SHA-256 of its method, path, query and body.</summary>
/// <param name="BodyLength">In bytes. Detects a longer body before all of it is read.</param>
public sealed record Fingerprint(byte[] Hash, long BodyLength);

/// <summary>The response to the first request.</summary>
/// <param name="Body">UTF-8 text, as every response to a change is.</param>
public sealed record StoredAnswer(int Status, string? ContentType, string? Location, byte[] Body);
