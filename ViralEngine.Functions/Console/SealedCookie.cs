using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Secrets;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>A cookie encrypted with the keys of <c>Secrets</c>, readable by every instance and by no script.</summary>
/// <param name="purpose">A cookie sealed for one purpose cannot be opened for another.</param>
internal sealed class SealedCookie<T>(
    SecretBox box, PublicAddress address, string name, string purpose, SameSiteMode sameSite, TimeSpan maxAge)
    where T : class
{
    // A token may exceed the 4 KiB that browsers allow per cookie.
    private readonly ChunkingCookieManager cookies = new();

    /// <summary>Null if there is none, or its key was removed.</summary>
    public T? Read(HttpContext http)
    {
        if (cookies.GetRequestCookie(http, NameOf(http)) is not { Length: > 0 } text || !Base64Url.IsValid(text))
            return null;
        try
        {
            return JsonSerializer.Deserialize<T>(box.Open(Guid.Empty, purpose, Base64Url.DecodeFromChars(text)));
        }
        catch (Exception e) when (e is CryptographicException or JsonException)
        {
            return null;
        }
    }

    public void Write(HttpContext http, T value)
    {
        var text = Base64Url.EncodeToString(box.Seal(Guid.Empty, purpose, JsonSerializer.Serialize(value)));
        cookies.AppendResponseCookie(http, NameOf(http), text, OptionsOf(http));
    }

    public void Delete(HttpContext http) => cookies.DeleteCookie(http, NameOf(http), OptionsOf(http));

    private bool IsSecure(HttpContext http) => address.Of(http.Request).StartsWith("https:", StringComparison.Ordinal);

    // The prefix keeps other hosts of the same domain from setting it (RFC 6265bis, section 4.1.3).
    private string NameOf(HttpContext http) => IsSecure(http) ? "__Host-" + name : name;

    private CookieOptions OptionsOf(HttpContext http) => new()
    {
        HttpOnly = true,
        Secure = IsSecure(http),
        SameSite = sameSite,
        Path = "/",
        MaxAge = maxAge,
    };
}
