using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.SignIn;

/// <summary>Section <c>SignIn</c>: how people sign in to the console at the OpenID Connect provider of <c>Auth:Authority</c>.</summary>
public sealed class SignInOptions : IValidatableObject
{
    public const string Section = "SignIn";

    /// <summary>The console's id at the provider; unset: people sign in with a key or a token.</summary>
    public string? ClientId { get; set; }

    /// <summary>The console's secret at the provider; unset: it is a public client, which PKCE alone protects.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>What the button calls the provider; unset: its host.</summary>
    public string? Name { get; set; }

    /// <summary>What is asked for, separated by spaces. <c>openid</c> must be among it.</summary>
    public string Scope { get; set; } = "openid";

    /// <summary>The API's name at the provider (RFC 8707), where it issues access tokens for the API only when asked by name.</summary>
    public string? Resource { get; set; }

    /// <summary>Further parameters of the authorization request, such as <c>audience</c> or <c>prompt</c>.</summary>
    public Dictionary<string, string> Parameters { get; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ClientSecret is not null && ClientId is null)
            yield return new("SignIn:ClientSecret requires SignIn:ClientId.", [nameof(ClientSecret)]);
        if (!Scope.Split(' ').Contains("openid"))
            yield return new("SignIn:Scope must contain openid.", [nameof(Scope)]);
        if (ClientSecret is not null && ClientSecret.StartsWith("@Microsoft.KeyVault(", StringComparison.OrdinalIgnoreCase))
            yield return new("SignIn:ClientSecret is an unresolved Key Vault reference.", [nameof(ClientSecret)]);
    }
}
