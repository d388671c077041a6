using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.SignIn;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>
/// Keeps a started sign-in in its browser while the person is at the provider. <c>SameSite=Lax</c>, because the
/// provider's redirect is a cross-site visit.
/// </summary>
internal sealed class AttemptCookie(SecretBox box, PublicAddress address, TimeProvider time)
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(15);

    private readonly SealedCookie<BegunSignIn> cookie =
        new(box, address, "viral-sign-in", "console sign-in", SameSiteMode.Lax, MaxAge);

    /// <summary>
    /// Removes and returns the attempt, which is valid once. Null if there is none or it has expired.
    /// </summary>
    public BegunSignIn? Take(HttpContext http)
    {
        var begun = cookie.Read(http);
        cookie.Delete(http);
        return begun is not null && time.GetUtcNow() - begun.At < MaxAge ? begun : null;
    }

    public void Set(HttpContext http, SignInAttempt attempt, string back) =>
        cookie.Write(http, new BegunSignIn(attempt, back, time.GetUtcNow()));
}

/// <param name="Return">The page to continue to afterwards.</param>
internal sealed record BegunSignIn(SignInAttempt Attempt, string Return, DateTimeOffset At);
