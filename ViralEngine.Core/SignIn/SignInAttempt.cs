using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ViralEngine.Core.SignIn;

/// <summary>What a browser must come back with, so that its sign-in is the one that began in it.</summary>
/// <param name="State">Comes back with the code: another site cannot finish what this browser did not begin (RFC 6749, section 10.12).</param>
/// <param name="Nonce">Comes back in the ID token: it was issued for this sign-in.</param>
/// <param name="Verifier">Proves to the provider that whoever redeems the code asked for it (RFC 7636).</param>
/// <param name="RedirectUri">Where the provider sends the browser back to.</param>
public sealed record SignInAttempt(string State, string Nonce, string Verifier, string RedirectUri)
{
    public string Challenge => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    public static SignInAttempt New(string redirectUri) => new(Random(), Random(), Random(), redirectUri);

    public bool IsItsState(string? state) =>
        state is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(state), Encoding.UTF8.GetBytes(State));

    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
