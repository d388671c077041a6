using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace ViralEngine.Core.Organizations;

/// <summary>
/// Validates JSON Web Tokens (RFC 7519) after RFC 8725: the app chooses the algorithms, never the token. Tokens of the
/// configured issuer must name a key that the issuer publishes. Keys are refetched for an unknown key id and every
/// quarter of an hour, so that a withdrawn key is rejected by then.
/// </summary>
public sealed class TokenValidator
{
    public const string DevelopmentIssuer = "viral-engine-dev";

    private static readonly TimeSpan NewKeysPatience = TimeSpan.FromSeconds(1);
    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false };
    private readonly TimeProvider time;
    private readonly TokenValidationParameters? issuer;
    private readonly TokenValidationParameters? development;

    public TokenValidator(IOptions<AuthOptions> options, IdentityProvider provider, TimeProvider time)
    {
        this.time = time;
        var settings = options.Value;
        if (provider.Document is { } document)
        {
            issuer = Parameters(settings.Audience, time);
            issuer.ConfigurationManager = document;
            // Otherwise a token with an unknown key id would be tried with every key.
            issuer.TryAllIssuerSigningKeys = false;
            issuer.ValidAlgorithms =
            [
                SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
                SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384,
                SecurityAlgorithms.RsaSsaPssSha512, SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384,
                SecurityAlgorithms.EcdsaSha512,
            ];
        }

        if (settings.JwtSharedKey is { } key)
        {
            development = Parameters(settings.Audience, time);
            development.ValidIssuer = DevelopmentIssuer;
            development.IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(key));
            development.ValidAlgorithms = [SecurityAlgorithms.HmacSha256];
        }
    }

    /// <summary>The token's subject, or why it is rejected, without secrets.</summary>
    public async Task<(string? Subject, string? Fault)> ValidateAsync(string token)
    {
        var (parsed, fault) = await CheckAsync(
            token, of => development is not null && of.Issuer == DevelopmentIssuer ? development : issuer);
        return (fault is null ? parsed!.Subject : null, fault);
    }

    /// <summary>
    /// What is wrong with an ID token (OpenID Connect Core 1.0, section 3.1.3.7), by the same rules, but for the client
    /// and this sign-in; null if nothing.
    /// </summary>
    public async Task<string?> FaultOfIdTokenAsync(string token, string clientId, string nonce)
    {
        var parameters = issuer?.Clone();
        if (parameters is not null)
            parameters.ValidAudience = clientId;
        var (parsed, fault) = await CheckAsync(token, _ => parameters);
        if (fault is not null)
            return fault;
        if (!parsed!.TryGetPayloadValue("nonce", out string? said) || said != nonce)
            return "The token was not issued for this sign-in.";
        return parsed.Audiences.Count() > 1 && parsed.Azp != clientId
            ? "The token was issued to another client."
            : null;
    }

    private async Task<(JsonWebToken? Token, string? Fault)> CheckAsync(
        string token, Func<JsonWebToken, TokenValidationParameters?> choose)
    {
        JsonWebToken parsed;
        try
        {
            parsed = Handler.ReadJsonWebToken(token);
        }
        catch (ArgumentException)
        {
            return (null, "The credential is neither an API key nor a JSON Web Token.");
        }

        if (TokenRules.FaultOf(parsed) is { } broken)
            return (null, broken);
        if (choose(parsed) is not { } parameters)
            return (null, "Tokens of this issuer are not accepted.");

        var result = await ValidateAsync(parsed, parameters);
        if (!result.IsValid)
            return (null, Explain(result.Exception));
        return string.IsNullOrEmpty(parsed.Subject) ? (null, "The token has no subject.") : (parsed, null);
    }

    /// <summary>
    /// For an unknown key id, the handler fetches the keys in the background; this waits for them, so that the first
    /// token of a new key is accepted.
    /// </summary>
    private async Task<TokenValidationResult> ValidateAsync(JsonWebToken token, TokenValidationParameters parameters)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            var result = await Handler.ValidateTokenAsync(token, parameters.Clone());
            if (result.Exception is not SecurityTokenSignatureKeyNotFoundException
                || parameters.ConfigurationManager is null || time.GetElapsedTime(start) > NewKeysPatience)
            {
                return result;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), time);
        }
    }

    private static TokenValidationParameters Parameters(string audience, TimeProvider time) => new()
    {
        ValidAudience = audience,
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        ClockSkew = TimeSpan.FromSeconds(30),
        // The default reads the machine's clock instead of the injected one.
        LifetimeValidator = (notBefore, expires, _, parameters) =>
        {
            var now = time.GetUtcNow().UtcDateTime;
            if (expires is not { } end || end < now - parameters.ClockSkew)
                throw new SecurityTokenExpiredException();
            if (notBefore is { } start && start > now + parameters.ClockSkew)
                throw new SecurityTokenNotYetValidException();
            return true;
        },
    };

    private static string Explain(Exception? fault) => fault switch
    {
        SecurityTokenExpiredException => "The token has expired.",
        SecurityTokenNotYetValidException => "The token is not valid yet.",
        SecurityTokenInvalidAudienceException => "The token is for another audience.",
        SecurityTokenInvalidIssuerException => "Tokens of this issuer are not accepted.",
        SecurityTokenInvalidAlgorithmException => "The token's algorithm is not accepted.",
        SecurityTokenSignatureKeyNotFoundException => "The token's key does not belong to its issuer.",
        SecurityTokenInvalidSignatureException => "The token's signature is not valid.",
        InvalidOperationException or IOException => "The issuer's keys cannot be fetched. Try again.",
        _ => "The token is not valid.",
    };
}
