using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Testing;

/// <summary>Tokens (RFC 7519) as the development issuer signs them, right or wrong in one way.</summary>
public static class DevelopmentToken
{
    public static string Create(
        string subject,
        string audience = "viral-engine",
        DateTimeOffset? expires = null,
        DateTimeOffset? notBefore = null,
        string algorithm = "HS256",
        string key = AppSettings.JwtSharedKey)
    {
        var header = Encode(new Dictionary<string, object> { ["alg"] = algorithm, ["typ"] = "JWT" });
        var claims = new Dictionary<string, object>
        {
            ["iss"] = "viral-engine-dev",
            ["sub"] = subject,
            ["aud"] = audience,
            ["exp"] = (expires ?? DateTimeOffset.UtcNow.AddHours(1)).ToUnixTimeSeconds(),
        };
        if (notBefore is { } start)
            claims["nbf"] = start.ToUnixTimeSeconds();
        var signed = $"{header}.{Encode(claims)}";
        var signature = algorithm == "none"
            ? ""
            : Base64Url.EncodeToString(
                HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(signed)));
        return $"{signed}.{signature}";
    }

    private static string Encode(Dictionary<string, object> part) =>
        Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
}
