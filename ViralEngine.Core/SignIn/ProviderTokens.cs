namespace ViralEngine.Core.SignIn;

/// <summary>What a person got from the provider.</summary>
/// <param name="Credential">A token that the API accepts.</param>
/// <param name="RefreshToken">Gets the next one; null: the provider gave none.</param>
/// <param name="RefreshAt">When it is time for that.</param>
public sealed record ProviderTokens(string Credential, string? RefreshToken = null, DateTimeOffset? RefreshAt = null);
