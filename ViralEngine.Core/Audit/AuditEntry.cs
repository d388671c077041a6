using System.Text.Json;

namespace ViralEngine.Core.Audit;

/// <summary>One thing that somebody did, as the API shows it.</summary>
/// <param name="Actor">Who: <c>api_key:…</c>, <c>user:…</c>, <c>platform</c>, <c>alert-rule</c>, or whom a signed link was for.</param>
/// <param name="Credential">By what: <c>api_key</c>, <c>token</c>, <c>platform_key</c>, <c>link</c> or <c>rule</c>.</param>
/// <param name="Subject">The token's subject.</param>
/// <param name="Action">What: <c>webhook.created</c>.</param>
/// <param name="Ip">From where; none where the connection has no address.</param>
/// <param name="Before">The state of a setting before; secrets are left out.</param>
/// <param name="After">The state of a setting after; none when it was deleted.</param>
public sealed record AuditEntry(
    Guid Id,
    DateTime At,
    string Actor,
    string? Role,
    string Credential,
    string? Subject,
    string Action,
    string TargetKind,
    string? TargetId,
    string? Ip,
    string? UserAgent,
    string RequestId,
    JsonElement? Before,
    JsonElement? After);

/// <summary>What is to be written down, redacted already.</summary>
public sealed record NewAuditEntry(
    string Actor,
    string? Role,
    string Credential,
    string? Subject,
    string Action,
    string TargetKind,
    string? TargetId,
    string? Ip,
    string? UserAgent,
    string RequestId,
    string? BeforeJson,
    string? AfterJson);

/// <summary>Which entries to list; null means any.</summary>
/// <param name="Action">An action, or a kind as in <c>webhook.*</c>.</param>
public sealed record AuditFilter(
    string? Actor = null,
    string? Action = null,
    string? TargetKind = null,
    string? TargetId = null,
    DateTime? From = null,
    DateTime? To = null);
