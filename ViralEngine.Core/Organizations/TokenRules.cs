using System.Buffers.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Organizations;

/// <summary>Rules of RFC 7515 and RFC 7519 beyond those that the library checks.</summary>
internal static class TokenRules
{
    private const int MaxSubjectCharacters = 300;
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <summary>What is wrong with the token, regardless of its signature; null if nothing.</summary>
    public static string? FaultOf(JsonWebToken token)
    {
        try
        {
            using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(token.EncodedHeader), Strict);
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(token.EncodedPayload), Strict);
            return HeaderFault(header.RootElement) ?? SubjectFault(claims.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return "The token is not valid.";
        }
    }

    /// <summary>
    /// RFC 7515, section 4.1.11: tokens with unsupported critical extensions must be rejected. None are supported.
    /// </summary>
    private static string? HeaderFault(JsonElement header)
    {
        if (header.TryGetProperty("crit", out _))
            return "The token has a critical extension (crit) that is not supported.";
        return header.TryGetProperty("b64", out var encoded) && encoded.ValueKind != JsonValueKind.True
            ? "The token's payload must be base64url-encoded: b64 is not supported."
            : null;
    }

    /// <summary>The subject is compared, so it is not repaired: that could turn it into somebody else's.</summary>
    private static string? SubjectFault(JsonElement claims)
    {
        if (!claims.TryGetProperty("sub", out var subject))
            return "The token has no subject.";
        if (subject.ValueKind != JsonValueKind.String)
            return "The token's subject must be a string.";
        try
        {
            var text = subject.GetString()!;
            return text.Length == 0 ? "The token has no subject."
                : text.Length > MaxSubjectCharacters || OutsideText.Of(text) != text
                    ? "The token's subject is not valid."
                : null;
        }
        catch (InvalidOperationException)
        {
            return "The token's subject is not valid."; // an unpaired surrogate
        }
    }
}
