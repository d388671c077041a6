namespace ViralEngine.Core.Organizations;

/// <summary>A tenant: its people, keys and work are its own.</summary>
/// <param name="Plan">Which limits it has: <c>free</c>, <c>team</c> or <c>enterprise</c>.</param>
public sealed record Organization(Guid Id, string Name, string Plan, DateTime CreatedAt, DateTime UpdatedAt);

/// <summary>A person of an organization, known by the <c>sub</c> of their tokens.</summary>
/// <param name="AcceptedAt">None: invited, and may not act for the organization yet.</param>
public sealed record Member(
    Guid Id,
    string Subject,
    string? Email,
    string? Name,
    string Role,
    DateTime CreatedAt,
    string? InvitedBy,
    DateTime? AcceptedAt);

/// <summary>An API key without its secret, which is shown once, when it is made.</summary>
/// <param name="Hint">Its beginning and end, to tell keys apart.</param>
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
