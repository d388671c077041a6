namespace ViralEngine.Core.SignIn;

/// <summary>A person's tokens from the provider.</summary>
/// <param name="Credential">A token that the API accepts.</param>
/// <param name="RefreshToken">The refresh token; null if the provider issued none.</param>
/// <param name="RefreshAt">When to refresh.</param>
public sealed record ProviderTokens(string Credential, string? RefreshToken = null, DateTimeOffset? RefreshAt = null);
