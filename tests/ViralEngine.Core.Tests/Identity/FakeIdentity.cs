using System.Buffers.Text;
using System.Text;
using Azure.Core;

namespace ViralEngine.Core.Tests.Identity;

/// <summary>
/// Stands for Entra: hands out whatever token it has at the moment, and remembers what it was asked for.
/// </summary>
internal sealed class FakeIdentity(TimeProvider time) : TokenCredential
{
    private volatile string token = "";
    private volatile Exception? trouble;
    private Exception? troubleOnce;
    private int awaited;

    /// <summary>How long a token holds.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromHours(1);

    public HashSet<string> Scopes { get; } = [];

    public string Token => token;

    /// <summary>From now on this is the token.</summary>
    public string Issue(string objectId)
    {
        var claims = $$"""{"oid":"{{objectId}}","jti":"{{Guid.NewGuid()}}"}""";
        return token = $"e30.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln";
    }

    /// <summary>How often somebody waited for a token without blocking, as who renews does.</summary>
    public int Awaited => Volatile.Read(ref awaited);

    /// <summary>The next time that somebody so waits, it fails.</summary>
    public void FailOnceWhenAwaited(Exception with) => Interlocked.Exchange(ref troubleOnce, with);

    /// <summary>From now on it fails, until told null.</summary>
    public void Fail(Exception? with) => trouble = with;

    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        if (trouble is { } failure)
            throw failure;
        lock (Scopes)
            Scopes.Add(Assert.Single(requestContext.Scopes));
        return new AccessToken(token, time.GetUtcNow() + Life);
    }

    public override ValueTask<AccessToken> GetTokenAsync(
        TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref awaited);
        if (Interlocked.Exchange(ref troubleOnce, null) is { } once)
            return ValueTask.FromException<AccessToken>(once);
        try
        {
            return ValueTask.FromResult(GetToken(requestContext, cancellationToken));
        }
        catch (Exception failure)
        {
            return ValueTask.FromException<AccessToken>(failure);
        }
    }
}
