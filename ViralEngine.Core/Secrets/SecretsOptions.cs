using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;

namespace ViralEngine.Core.Secrets;

/// <summary>The keys that tenants' secrets are encrypted with, section <c>Secrets</c>.</summary>
public sealed class SecretsOptions : IValidatableObject
{
    public const string Section = "Secrets";

    /// <summary>
    /// The key ring: base64 of 32 random bytes each, optionally with an id before it (<c>2026:…</c>). The first
    /// encrypts, all decrypt. To rotate, add a new key first, re-encrypt, then remove the old one.
    /// </summary>
    public IList<string> Keys { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Keys.Count == 0)
            yield return Wrong("must have at least one key: 32 random bytes in base64 (openssl rand -base64 32)");

        var ids = new HashSet<string>();
        for (var i = 0; i < Keys.Count; i++)
        {
            // The message must not contain the key, not even a broken one.
            if (!TryParse(Keys[i], out var id, out _))
                yield return Wrong(
                    $"entry {i} must be 32 bytes in base64, "
                    + "or id:base64 with an id of 1 to 32 of a-z, A-Z, 0-9, - and _");
            else if (!ids.Add(id))
                yield return Wrong($"has the id '{id}' twice");
        }
    }

    internal static bool TryParse(string entry, out string id, out byte[] key)
    {
        var colon = entry.IndexOf(':', StringComparison.Ordinal);
        key = new byte[32];
        id = "";
        if (!Convert.TryFromBase64String(entry[(colon + 1)..], key, out var written) || written != key.Length)
            return false;

        // A key without an id gets its fingerprint as the id, so that others can be added later.
        id = colon < 0 ? Convert.ToHexStringLower(SHA256.HashData(key))[..12] : entry[..colon];
        return id.Length is >= 1 and <= 32 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
    }

    private static ValidationResult Wrong(string what) => new($"Secrets:Keys {what}.", [nameof(Keys)]);
}
