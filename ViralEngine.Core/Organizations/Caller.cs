using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

public enum CallerKind
{
    ApiKey,
    User,
    Platform,
}

/// <summary>The caller of a request and its tenant, which is empty for the platform.</summary>
/// <param name="Id">The API key's or member's id; <c>platform</c> for the platform key.</param>
/// <param name="Plan">The organization's plan; null for the platform.</param>
/// <param name="Sessions">How often the principal has signed out everywhere, which ends earlier sessions.</param>
public sealed record Caller(
    CallerKind Kind, string Id, TenantId Tenant, Role Role, string? Subject = null, string? Plan = null,
    int Sessions = 0)
{
    /// <summary>The principal as text: <c>api_key:…</c>, <c>user:…</c> or <c>platform</c>.</summary>
    public string Principal => Kind switch
    {
        CallerKind.ApiKey => $"api_key:{Id}",
        CallerKind.User => $"user:{Id}",
        CallerKind.Platform => "platform",
    };

    /// <summary>Whether the caller may grant and remove this role: none above its own.</summary>
    public bool MayGrant(Role role) => role <= Role;
}
