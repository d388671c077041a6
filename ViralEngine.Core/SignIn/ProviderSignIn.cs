using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.SignIn;

/// <summary>
/// Signs people in at the provider of <c>Auth:Authority</c>: by the authorization code flow (OpenID Connect Core 1.0,
/// section 3.1) with PKCE (RFC 7636), after RFC 9700. The resulting token is one that the API would accept, and is
/// checked by the same rules.
/// </summary>
public sealed partial class ProviderSignIn(
    IdentityProvider provider, TokenEndpoint endpoint, TokenValidator validator, IOptions<SignInOptions> options,
    TimeProvider time,
    ILogger<ProviderSignIn> logger)
{
    private const int MaxErrorCharacters = 200;
    private readonly SignInOptions settings = options.Value;

    public abstract record Outcome
    {
        public sealed record SignedIn(ProviderTokens Tokens) : Outcome;

        /// <summary>The response does not belong to this sign-in, or has no code.</summary>
        public sealed record NotFinished(string Fault) : Outcome;

        /// <summary>The provider cannot be reached, or its response is not valid.</summary>
        public sealed record ProviderFailed(string Fault) : Outcome;
    }

    /// <summary>The provider's display name; null if sign-in with a provider is not configured.</summary>
    public string? Name => settings.ClientId is null ? null : settings.Name ?? provider.Host;

    /// <summary>The URL to send a browser to for sign-in; null if the provider cannot be reached.</summary>
    public async Task<string?> AddressAsync(SignInAttempt attempt, CancellationToken ct)
    {
        if (await DiscoverAsync(ct) is not { } document)
            return null;
        var parameters = new Dictionary<string, string>(settings.Parameters)
        {
            ["response_type"] = "code",
            ["client_id"] = settings.ClientId!,
            ["redirect_uri"] = attempt.RedirectUri,
            ["scope"] = settings.Scope,
            ["state"] = attempt.State,
            ["nonce"] = attempt.Nonce,
            ["code_challenge"] = attempt.Challenge,
            ["code_challenge_method"] = "S256",
        };
        if (settings.Resource is { } resource)
            parameters["resource"] = resource;
        return WithQuery(document.AuthorizationEndpoint, parameters);
    }

    /// <summary>Exchanges the browser's response for tokens.</summary>
    public async Task<Outcome> FinishAsync(SignInAttempt attempt, SignInAnswer answer, CancellationToken ct)
    {
        if (!attempt.IsItsState(answer.State))
            return new Outcome.NotFinished("Another sign-in was started in this browser. Sign in again.");
        if (await DiscoverAsync(ct) is not { } document)
            return Failed("it cannot be reached");
        // Protects against mix-up of providers (RFC 9207).
        if (answer.Issuer is { } issuer
            ? issuer != document.Issuer
            : document.AuthorizationResponseIssParameterSupported)
            return Failed("the response has the wrong issuer");
        if (answer.Error is { } error)
            return new Outcome.NotFinished(Explain(error, answer.ErrorDescription));
        if (string.IsNullOrEmpty(answer.Code))
            return new Outcome.NotFinished("The provider sent no code. Sign in again.");

        var got = await endpoint.AskAsync(document, new()
        {
            ["grant_type"] = "authorization_code",
            ["code"] = answer.Code,
            ["redirect_uri"] = attempt.RedirectUri,
            ["code_verifier"] = attempt.Verifier,
        }, ct);
        return got switch
        {
            TokenEndpoint.Answer.Tokens tokens => await AcceptAsync(tokens, attempt),
            TokenEndpoint.Answer.Refused("invalid_grant") =>
                new Outcome.NotFinished("The provider's code has been used or has expired. Sign in again."),
            TokenEndpoint.Answer.Refused(var code) => Failed(
                $"it rejected the code: {OutsideText.Of(code, MaxErrorCharacters)}"),
            TokenEndpoint.Answer.Failed(var why) => Failed(why),
            _ => throw new InvalidOperationException($"Unknown answer {got}."),
        };
    }

    /// <summary>Refreshes the tokens. A rejection is final, a failure may be temporary.</summary>
    public async Task<Outcome> RefreshAsync(string refreshToken, CancellationToken ct)
    {
        if (await DiscoverAsync(ct) is not { } document)
            return Failed("it cannot be reached");
        var got = await endpoint.AskAsync(
            document, new() { ["grant_type"] = "refresh_token", ["refresh_token"] = refreshToken }, ct);
        return got switch
        {
            TokenEndpoint.Answer.Tokens tokens => await CredentialOfAsync(tokens, refreshToken),
            TokenEndpoint.Answer.Refused => new Outcome.NotFinished(
                "The provider has ended the session. Sign in again."),
            TokenEndpoint.Answer.Failed(var why) => Failed(why),
            _ => throw new InvalidOperationException($"Unknown answer {got}."),
        };
    }

    /// <summary>Revokes a refresh token, if the provider supports it.</summary>
    public async Task RevokeAsync(string refreshToken, CancellationToken ct)
    {
        if (await DiscoverAsync(ct) is { RevocationEndpoint: { Length: > 0 } } document)
            await endpoint.RevokeAsync(document, refreshToken, ct);
    }

    /// <summary>
    /// The URL where a browser ends its session at the provider (OpenID Connect RP-Initiated Logout 1.0); null if not
    /// supported.
    /// </summary>
    public async Task<string?> SignOutAddressAsync(string back, CancellationToken ct) =>
        Name is not null && await DiscoverAsync(ct) is { EndSessionEndpoint: { Length: > 0 } end }
            ? WithQuery(end, new() { ["client_id"] = settings.ClientId!, ["post_logout_redirect_uri"] = back })
            : null;

    private async Task<Outcome> AcceptAsync(TokenEndpoint.Answer.Tokens tokens, SignInAttempt attempt)
    {
        if (tokens.IdToken is null)
            return Failed("it sent no ID token");
        if (await validator.FaultOfIdTokenAsync(tokens.IdToken, settings.ClientId!, attempt.Nonce) is { } fault)
            return Failed($"its ID token is not accepted: {fault}");
        return await CredentialOfAsync(tokens, null);
    }

    /// <summary>
    /// The access token if it is for the API; else the ID token if that is, as with providers whose access tokens are
    /// only for themselves.
    /// </summary>
    private async Task<Outcome> CredentialOfAsync(TokenEndpoint.Answer.Tokens tokens, string? formerRefreshToken)
    {
        string? first = null;
        foreach (var token in new[] { tokens.AccessToken, tokens.IdToken })
        {
            if (token is null)
                continue;
            var (subject, fault) = await validator.ValidateAsync(token);
            if (subject is not null)
                return new Outcome.SignedIn(
                    new ProviderTokens(token, tokens.RefreshToken ?? formerRefreshToken, RefreshAt(token)));
            first ??= fault;
        }

        return Failed($"it issued no token for this API: {first ?? "the response has none"}");
    }

    /// <summary>
    /// Shortly before the token expires, so that short-lived ones are not refreshed with every request.
    /// </summary>
    private DateTimeOffset RefreshAt(string token)
    {
        var end = new JsonWebToken(token).ValidTo;
        var life = end - time.GetUtcNow().UtcDateTime;
        var before = TimeSpan.FromSeconds(Math.Min(60, life.TotalSeconds / 5));
        return new DateTimeOffset(end - before, TimeSpan.Zero);
    }

    private async Task<OpenIdConnectConfiguration?> DiscoverAsync(CancellationToken ct)
    {
        try
        {
            return await provider.Document!.GetConfigurationAsync(ct);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            LogFailed(logger, $"its discovery document cannot be fetched: {e.Message}");
            return null;
        }
    }

    private Outcome.ProviderFailed Failed(string why)
    {
        LogFailed(logger, why);
        return new Outcome.ProviderFailed($"Sign-in with {Name} failed: {why}");
    }

    private static string Explain(string error, string? description) => error == "access_denied"
        ? "Sign-in was cancelled: access was denied."
        : $"The provider rejected the sign-in: {OutsideText.Of(description ?? error, MaxErrorCharacters)}";

    private static string WithQuery(string address, Dictionary<string, string> parameters) =>
        address + (address.Contains('?', StringComparison.Ordinal) ? '&' : '?') + string.Join(
            '&', parameters.Select(each => $"{Uri.EscapeDataString(each.Key)}={Uri.EscapeDataString(each.Value)}"));

    [LoggerMessage(1, LogLevel.Warning, "Sign-in with the OpenID Connect provider failed: {Why}")]
    private static partial void LogFailed(ILogger logger, string why);
}

/// <summary>The provider's authorization response (RFC 6749, section 4.1.2; RFC 9207).</summary>
public sealed record SignInAnswer(string? State, string? Code, string? Issuer, string? Error, string? ErrorDescription);
