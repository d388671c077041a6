using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.SignIn;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>
/// Keeps a sign-in that has begun in the browser that began it, for as long as somebody takes at the provider. It is <c>SameSite=Lax</c>:
/// the provider sends the browser back, and that visit is one from another site.
/// </summary>
internal sealed class AttemptCookie(SecretBox box, PublicAddress address, TimeProvider time)
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(15);

    private readonly SealedCookie<BegunSignIn> cookie =
        new(box, address, "viral-sign-in", "console sign-in", SameSiteMode.Lax, MaxAge);

    /// <summary>Takes the attempt out of the browser: it is good once. Null: there is none, or it took too long.</summary>
    public BegunSignIn? Take(HttpContext http)
    {
        var begun = cookie.Read(http);
        cookie.Delete(http);
        return begun is not null && time.GetUtcNow() - begun.At < MaxAge ? begun : null;
    }

    public void Set(HttpContext http, SignInAttempt attempt, string back) =>
        cookie.Write(http, new BegunSignIn(attempt, back, time.GetUtcNow()));
}

/// <param name="Return">Where to go on afterwards.</param>
internal sealed record BegunSignIn(SignInAttempt Attempt, string Return, DateTimeOffset At);
