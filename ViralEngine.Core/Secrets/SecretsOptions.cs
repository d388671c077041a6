using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Secrets;

/// <summary>The keys that tenants' secrets are encrypted with, section <c>Secrets</c>.</summary>
public sealed class SecretsOptions : IValidatableObject
{
    public const string Section = "Secrets";

    /// <summary>
    /// The key ring: <c>id:base64 of 32 bytes</c> each. The first encrypts, all decrypt. To rotate, put a new one first,
    /// re-encrypt, then take the old one out.
    /// </summary>
    public IList<string> Keys { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Keys.Count == 0)
            yield return Wrong("needs at least one key, as id:base64 of 32 random bytes (openssl rand -base64 32)");

        var ids = new HashSet<string>();
        for (var i = 0; i < Keys.Count; i++)
        {
            // The message must not hold the key, not even a broken one.
            if (!TryParse(Keys[i], out var id, out _))
                yield return Wrong($"entry {i} must be id:base64, the id 1 to 32 of a-z, A-Z, 0-9, - and _, the key 32 bytes");
            else if (!ids.Add(id))
                yield return Wrong($"has the id '{id}' twice");
        }
    }

    internal static bool TryParse(string entry, out string id, out byte[] key)
    {
        var colon = entry.IndexOf(':', StringComparison.Ordinal);
        id = entry[..Math.Max(colon, 0)];
        key = new byte[32];
        return id.Length is >= 1 and <= 32
            && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            && Convert.TryFromBase64String(entry[(colon + 1)..], key, out var written)
            && written == key.Length;
    }

    private static ValidationResult Wrong(string what) => new($"Secrets:Keys {what}.", [nameof(Keys)]);
}
