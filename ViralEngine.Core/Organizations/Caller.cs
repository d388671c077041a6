using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Organizations;

public enum CallerKind
{
    ApiKey,
    User,
    Platform,
}

/// <summary>Who makes a request, and for which tenant. The platform acts for none: its tenant is empty.</summary>
/// <param name="Id">The API key's or member's id; <c>platform</c> for the platform key.</param>
/// <param name="Plan">The organization's plan; the platform has none.</param>
/// <param name="Sessions">How often the principal has signed out everywhere: sessions from before are over.</param>
public sealed record Caller(
    CallerKind Kind, string Id, TenantId Tenant, Role Role, string? Subject = null, string? Plan = null, int Sessions = 0)
{
    /// <summary>One text for "who did it": <c>api_key:…</c>, <c>user:…</c> or <c>platform</c>.</summary>
    public string Principal => Kind switch
    {
        CallerKind.ApiKey => $"api_key:{Id}",
        CallerKind.User => $"user:{Id}",
        _ => "platform",
    };
}
