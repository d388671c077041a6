using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.SignIn;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>
/// A console session: a credential, which is checked with each request as if it had been sent directly.
/// </summary>
/// <param name="Sessions">The caller's session number when it started; signing out everywhere increments it.</param>
/// <param name="Tenant">The organization that a person chose; null if the credential determines it, or the person has
/// none yet.</param>
/// <param name="FormToken">The token of this session's forms.</param>
/// <param name="RefreshToken">The refresh token of a session with an OpenID Connect provider.</param>
/// <param name="RefreshAt">When to refresh.</param>
internal sealed record Session(
    string Credential, Guid? Tenant, int Sessions, string FormToken, DateTimeOffset BeganAt, DateTimeOffset IssuedAt,
    string? RefreshToken = null, DateTimeOffset? RefreshAt = null);

/// <summary>Keeps sessions only in the browser, in a same-site <see cref="SealedCookie{T}"/>.</summary>
internal sealed class SessionCookie(SecretBox box, PublicAddress address, TimeProvider time)
{
    private static readonly TimeSpan MaxIdle = TimeSpan.FromHours(8);
    private static readonly TimeSpan MaxAge = TimeSpan.FromDays(7);
    private static readonly TimeSpan RenewAfter = TimeSpan.FromMinutes(10);
    private static readonly object Key = new();

    private readonly SealedCookie<Session> cookie =
        new(box, address, "viral-console", "console session", SameSiteMode.Strict, MaxIdle);

    /// <summary>Null if there is none, it has expired, or its key was removed.</summary>
    public Session? Read(HttpContext http)
    {
        if (!http.Items.TryGetValue(Key, out var read))
            http.Items[Key] = read = Open(http);
        return (Session?)read;
    }

    /// <summary>Starts a session.</summary>
    public void Begin(HttpContext http, ProviderTokens tokens, Guid? tenant, int sessions)
    {
        var now = time.GetUtcNow();
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(18));
        Write(
            http,
            new Session(tokens.Credential, tenant, sessions, token, now, now, tokens.RefreshToken, tokens.RefreshAt));
    }

    /// <summary>Switches to another organization of the person.</summary>
    public void Switch(HttpContext http, Guid tenant, int sessions) =>
        Write(http, Read(http)! with { Tenant = tenant, Sessions = sessions, IssuedAt = time.GetUtcNow() });

    /// <summary>Extends a session in use.</summary>
    public void Renew(HttpContext http)
    {
        var now = time.GetUtcNow();
        if (Read(http) is { } session && now - session.IssuedAt > RenewAfter)
            Write(http, session with { IssuedAt = now });
    }

    /// <summary>Replaces the credential.</summary>
    public void Refresh(HttpContext http, ProviderTokens tokens) => Write(http, Read(http)! with
    {
        Credential = tokens.Credential,
        RefreshToken = tokens.RefreshToken,
        RefreshAt = tokens.RefreshAt,
        IssuedAt = time.GetUtcNow(),
    });

    /// <summary>The refresh token if it is time to redeem it; else null.</summary>
    public string? DueRefreshToken(HttpContext http) =>
        Read(http) is { RefreshToken: { } token, RefreshAt: { } at } && at <= time.GetUtcNow() ? token : null;

    public void End(HttpContext http)
    {
        http.Items[Key] = null;
        cookie.Delete(http);
    }

    private Session? Open(HttpContext http)
    {
        var now = time.GetUtcNow();
        return cookie.Read(http) is { } session && now - session.IssuedAt < MaxIdle && now - session.BeganAt < MaxAge
            ? session
            : null;
    }

    private void Write(HttpContext http, Session session)
    {
        http.Items[Key] = session;
        cookie.Write(http, session);
    }
}
