using System.Text.Json;

namespace ViralEngine.Core.Audit;

/// <summary>An entry of the audit log.</summary>
/// <param name="Actor"><c>api_key:…</c>, <c>user:…</c>, <c>platform</c>, <c>alert-rule</c>, or the decider of a signed
/// link.</param>
/// <param name="Credential">How the actor authenticated: <c>api_key</c>, <c>token</c>, <c>platform_key</c>, <c>link</c>
/// or
/// <c>rule</c>.</param>
/// <param name="Subject">The token's subject.</param>
/// <param name="Action">What happened: <c>webhook.created</c>.</param>
/// <param name="Ip">The client's address; null if the connection has none.</param>
/// <param name="Before">The state of a setting before; secrets are left out.</param>
/// <param name="After">The state of a setting after; null if it was deleted.</param>
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

/// <summary>An entry to record, already redacted.</summary>
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
