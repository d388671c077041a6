using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Organizations;

/// <summary>Section <c>Auth</c>: how callers authenticate.</summary>
public sealed class AuthOptions : IValidatableObject
{
    /// <summary>The platform key, which creates organizations. At least 32 characters; none if unset.</summary>
    public string? PlatformKey { get; set; }

    /// <summary>
    /// The OpenID Connect issuer whose tokens are accepted. Its keys come from its discovery document.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>The required audience of tokens.</summary>
    public string Audience { get; set; } = "viral-engine";

    /// <summary>
    /// For development: accepts HS256 tokens of the issuer <c>viral-engine-dev</c> signed with this key (32 bytes or
    /// more).
    /// </summary>
    public string? JwtSharedKey { get; set; }

    /// <summary>Minimum seconds between fetches of the issuer's keys after an unknown key id.</summary>
    [Range(1, 3600)]
    public int KeyRefreshSeconds { get; set; } = 30;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        // A Key Vault reference that Azure could not resolve arrives as written, and is not a secret.
        if (IsReference(PlatformKey) || IsReference(JwtSharedKey))
            yield return new(
                "Auth:PlatformKey or Auth:JwtSharedKey is an unresolved Key Vault reference.", [nameof(PlatformKey)]);
        if (PlatformKey is { Length: < 32 })
            yield return new("Auth:PlatformKey must have at least 32 characters.", [nameof(PlatformKey)]);
        if (JwtSharedKey is { Length: < 32 })
            yield return new("Auth:JwtSharedKey must have at least 32 characters.", [nameof(JwtSharedKey)]);
        if (Authority is not null && !Uri.TryCreate(Authority, UriKind.Absolute, out _))
            yield return new("Auth:Authority must be an absolute URL.", [nameof(Authority)]);
    }

    private static bool IsReference(string? value) =>
        value is not null && value.StartsWith("@Microsoft.KeyVault(", StringComparison.OrdinalIgnoreCase);
}
