using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Idempotency;

/// <summary>Within which an <c>Idempotency-Key</c> is unique: the same key of another tenant, caller or route is another.</summary>
/// <param name="Tenant">Empty for the platform, which acts for none.</param>
/// <param name="Principal">Who calls: <c>api_key:…</c>, <c>user:…</c> or <c>platform</c>.</param>
/// <param name="Route">The route's template: <c>tasks/{id}/cancel</c>.</param>
/// <param name="Key">1 to 255 visible ASCII characters.</param>
public sealed record IdempotencyScope(TenantId Tenant, string Principal, string Method, string Route, string Key);

/// <summary>What the request was: SHA-256 of its method, path, query and body.</summary>
/// <param name="BodyLength">In bytes; tells of a longer body that it is another before all of it was read.</param>
public sealed record Fingerprint(byte[] Hash, long BodyLength);

/// <summary>An answer as it was given the first time.</summary>
/// <param name="Body">Text in UTF-8: every answer of this API to a change is.</param>
public sealed record StoredAnswer(int Status, string? ContentType, string? Location, byte[] Body);
