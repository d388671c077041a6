using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.SignIn;

/// <summary>
/// Section <c>SignIn</c>: how people sign in to the console at the OpenID Connect provider of <c>Auth:Authority</c>.
/// </summary>
public sealed class SignInOptions : IValidatableObject
{
    public const string Section = "SignIn";

    /// <summary>The console's client id at the provider. If unset, people sign in with a key or token.</summary>
    public string? ClientId { get; set; }

    /// <summary>
    /// The console's client secret. If unset, the console is a public client, protected by PKCE alone.
    /// </summary>
    public string? ClientSecret { get; set; }

    /// <summary>The provider's name on the button; its host by default.</summary>
    public string? Name { get; set; }

    /// <summary>The requested scopes, separated by spaces. Must contain <c>openid</c>.</summary>
    public string Scope { get; set; } = "openid";

    /// <summary>
    /// The API's resource indicator (RFC 8707), if the provider requires one to issue access tokens for the API.
    /// </summary>
    public string? Resource { get; set; }

    /// <summary>Further parameters of the authorization request, such as <c>audience</c> or <c>prompt</c>.</summary>
    public Dictionary<string, string> Parameters { get; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ClientSecret is not null && ClientId is null)
            yield return new("SignIn:ClientSecret requires SignIn:ClientId.", [nameof(ClientSecret)]);
        if (!Scope.Split(' ').Contains("openid"))
            yield return new("SignIn:Scope must contain openid.", [nameof(Scope)]);
        if (ClientSecret is not null
            && ClientSecret.StartsWith("@Microsoft.KeyVault(", StringComparison.OrdinalIgnoreCase))
            yield return new("SignIn:ClientSecret is an unresolved Key Vault reference.", [nameof(ClientSecret)]);
    }
}
