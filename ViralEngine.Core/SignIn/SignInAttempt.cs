using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ViralEngine.Core.SignIn;

/// <summary>Binds the provider's response to the browser that started the sign-in.</summary>
/// <param name="State">Returned with the code, so that another site cannot finish a sign-in that this browser did not
/// start (RFC 6749, section 10.12).</param>
/// <param name="Nonce">Returned in the ID token, which proves that it was issued for this sign-in.</param>
/// <param name="Verifier">Proves that the code is redeemed by the client that requested it (RFC 7636).</param>
/// <param name="RedirectUri">The URL that the provider redirects the browser to.</param>
public sealed record SignInAttempt(string State, string Nonce, string Verifier, string RedirectUri)
{
    public string Challenge => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    public static SignInAttempt New(string redirectUri) => new(Random(), Random(), Random(), redirectUri);

    public bool IsItsState(string? state) =>
        state is not null && CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(state), Encoding.UTF8.GetBytes(State));

    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
