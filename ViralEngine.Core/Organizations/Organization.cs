namespace ViralEngine.Core.Organizations;

/// <summary>An organization: it owns its members, keys and work.</summary>
/// <param name="Plan">Sets its limits: <c>free</c>, <c>team</c> or <c>enterprise</c>.</param>
public sealed record Organization(Guid Id, string Name, string Plan, DateTime CreatedAt, DateTime UpdatedAt);

/// <summary>A person in an organization, identified by the <c>sub</c> of their tokens.</summary>
/// <param name="AcceptedAt">Null while the person is invited and may not act for the organization yet.</param>
public sealed record Member(
    Guid Id,
    string Subject,
    string? Email,
    string? Name,
    string Role,
    DateTime CreatedAt,
    string? InvitedBy,
    DateTime? AcceptedAt);

/// <summary>An API key, without its secret.</summary>
/// <param name="Hint">The key's first and last characters, to tell keys apart.</param>
public sealed record ApiKey(
    Guid Id,
    string Name,
    string Role,
    string Hint,
    string CreatedBy,
    DateTime CreatedAt,
    DateTime? ExpiresAt,
    DateTime? LastUsedAt,
    DateTime? RevokedAt);
