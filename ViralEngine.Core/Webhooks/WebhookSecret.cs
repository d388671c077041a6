using System.Security.Cryptography;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// The secret that an endpoint's messages are signed with: <c>whsec_</c> and base64 of 24 to 64 bytes (Standard
/// Webhooks 1.0.0, "Signature scheme").
/// </summary>
public static class WebhookSecret
{
    public const string Prefix = "whsec_";
    private const int FewestBytes = 24;
    private const int MaxBytes = 64;

    public static string Create() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    public static bool IsValid(string secret) => TryParse(secret, out _);

    /// <exception cref="FormatException">Not a secret.</exception>
    internal static byte[] KeyOf(string secret) =>
        TryParse(secret, out var key) ? key : throw new FormatException("The webhook secret is malformed.");

    private static bool TryParse(string secret, out byte[] key)
    {
        key = [];
        if (!secret.StartsWith(Prefix, StringComparison.Ordinal) || secret.Any(char.IsWhiteSpace))
            return false;
        var bytes = new byte[MaxBytes];
        if (!Convert.TryFromBase64String(secret[Prefix.Length..], bytes, out var length) || length < FewestBytes)
            return false;
        key = bytes[..length];
        return true;
    }
}
