using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ViralEngine.Core.Organizations;

/// <summary>
/// The secret of an API key: <c>vk_</c> and 32 random bytes in base64url. Only its SHA-256 is stored; 256 random bits
/// need no slow hash.
/// </summary>
public static class ApiKeySecret
{
    public const string Prefix = "vk_";

    public static string Create() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>The part that is shown later, to tell keys apart.</summary>
    public static string Hint(string secret) => $"{secret[..7]}…{secret[^4..]}";
}
