using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.SignIn;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Who is signed in: a credential, which is checked at each request as if it had been sent itself.</summary>
/// <param name="Sessions">The caller's number when it began: signing out everywhere counts on.</param>
/// <param name="Tenant">The organization that a person chose; null where the credential says it, or a person belongs to none yet.</param>
/// <param name="FormToken">What this session's forms carry.</param>
/// <param name="RefreshToken">Of a session that began at an OpenID Connect provider: what the next credential is had for.</param>
/// <param name="RefreshAt">When it is time for that.</param>
internal sealed record Session(
    string Credential, Guid? Tenant, int Sessions, string FormToken, DateTimeOffset BeganAt, DateTimeOffset IssuedAt,
    string? RefreshToken = null, DateTimeOffset? RefreshAt = null);

/// <summary>
/// Keeps sessions in the browser alone, in a <see cref="SealedCookie{T}"/> that no other site sends.
/// </summary>
internal sealed class SessionCookie(SecretBox box, PublicAddress address, TimeProvider time)
{
    private static readonly TimeSpan MaxIdle = TimeSpan.FromHours(8);
    private static readonly TimeSpan MaxAge = TimeSpan.FromDays(7);
    private static readonly TimeSpan RenewAfter = TimeSpan.FromMinutes(10);
    private static readonly object Key = new();

    private readonly SealedCookie<Session> cookie =
        new(box, address, "viral-console", "console session", SameSiteMode.Strict, MaxIdle);

    /// <summary>Null: there is none, or it is over, or it was sealed with a key that is gone.</summary>
    public Session? Read(HttpContext http)
    {
        if (!http.Items.TryGetValue(Key, out var read))
            http.Items[Key] = read = Open(http);
        return (Session?)read;
    }

    /// <summary>Begins a session.</summary>
    public void Begin(HttpContext http, ProviderTokens tokens, Guid? tenant, int sessions)
    {
        var now = time.GetUtcNow();
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(18));
        Write(http, new Session(tokens.Credential, tenant, sessions, token, now, now, tokens.RefreshToken, tokens.RefreshAt));
    }

    /// <summary>The same session for another organization of the person.</summary>
    public void Switch(HttpContext http, Guid tenant, int sessions) =>
        Write(http, Read(http)! with { Tenant = tenant, Sessions = sessions, IssuedAt = time.GetUtcNow() });

    /// <summary>Keeps a session from running out while it is used.</summary>
    public void Renew(HttpContext http)
    {
        var now = time.GetUtcNow();
        if (Read(http) is { } session && now - session.IssuedAt > RenewAfter)
            Write(http, session with { IssuedAt = now });
    }

    /// <summary>The same session with the credential that follows.</summary>
    public void Refresh(HttpContext http, ProviderTokens tokens) => Write(http, Read(http)! with
    {
        Credential = tokens.Credential,
        RefreshToken = tokens.RefreshToken,
        RefreshAt = tokens.RefreshAt,
        IssuedAt = time.GetUtcNow(),
    });

    /// <summary>The token that it is time to redeem; null: there is none, or it is too early.</summary>
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
        return cookie.Read(http) is { } session && now - session.IssuedAt < MaxIdle && now - session.BeganAt < MaxAge ? session : null;
    }

    private void Write(HttpContext http, Session session)
    {
        http.Items[Key] = session;
        cookie.Write(http, session);
    }
}
