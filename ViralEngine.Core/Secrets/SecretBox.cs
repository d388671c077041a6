using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Secrets;

/// <summary>
/// Encrypts tenants' secrets for storage: AES-256-GCM, bound to the tenant and the purpose, so that a ciphertext moved
/// to another tenant's row or another column does not open.
/// </summary>
/// <remarks>
/// Format: version (1), length of the key id, key id, nonce (12 bytes, random), tag (16), ciphertext. Version and key
/// id are authenticated too. Random nonces are safe for some four billion secrets per key (NIST SP 800-38D, 8.3).
/// </remarks>
public sealed class SecretBox
{
    private const byte Version = 1;
    private const int NonceSize = 12;
    private const int TagSize = 16;

    private readonly Dictionary<string, byte[]> keys = [];
    private readonly string current;

    /// <exception cref="ArgumentException">The key ring is empty or has a malformed entry; validation rules both
    /// out.</exception>
    public SecretBox(IOptions<SecretsOptions> options)
    {
        foreach (var entry in options.Value.Keys)
        {
            if (!SecretsOptions.TryParse(entry, out var id, out var key) || !keys.TryAdd(id, key))
                throw new ArgumentException("Secrets:Keys has a malformed or duplicate entry.", nameof(options));
            current ??= id;
        }

        if (current is null)
            throw new ArgumentException("Secrets:Keys must have at least one key.", nameof(options));
    }

    /// <param name="tenantId">The owner of the secret.</param>
    /// <param name="purpose">The purpose, such as <c>webhook</c>. Opening requires the same one.</param>
    /// <param name="secret">Stored as UTF-8.</param>
    public byte[] Seal(Guid tenantId, string purpose, string secret)
    {
        var id = Encoding.ASCII.GetBytes(current);
        var plain = Encoding.UTF8.GetBytes(secret);
        var box = new byte[2 + id.Length + NonceSize + TagSize + plain.Length];
        (box[0], box[1]) = (Version, (byte)id.Length);
        id.CopyTo(box, 2);
        var nonce = box.AsSpan(2 + id.Length, NonceSize);
        RandomNumberGenerator.Fill(nonce);

        using var aes = new AesGcm(keys[current], TagSize);
        aes.Encrypt(
            nonce,
            plain,
            box.AsSpan(2 + id.Length + NonceSize + TagSize),
            box.AsSpan(2 + id.Length + NonceSize, TagSize),
            AssociatedData(tenantId, purpose, box.AsSpan(0, 2 + id.Length)));
        CryptographicOperations.ZeroMemory(plain);
        return box;
    }

    /// <exception cref="CryptographicException">The box was modified, sealed for another tenant or purpose, or with a
    /// key that is not in the ring.</exception>
    public string Open(Guid tenantId, string purpose, byte[] box)
    {
        var header = HeaderOf(box);
        var keyId = Encoding.ASCII.GetString(header[2..]);
        if (!keys.TryGetValue(keyId, out var key))
            throw new CryptographicException(
                $"A secret is encrypted with the key '{keyId}', which is missing in Secrets:Keys.");

        var nonce = box.AsSpan(header.Length, NonceSize);
        var tag = box.AsSpan(header.Length + NonceSize, TagSize);
        var sealedText = box.AsSpan(header.Length + NonceSize + TagSize);
        var plain = new byte[sealedText.Length];
        using var aes = new AesGcm(key, TagSize);
        aes.Decrypt(nonce, sealedText, tag, plain, AssociatedData(tenantId, purpose, header));
        var secret = Encoding.UTF8.GetString(plain);
        CryptographicOperations.ZeroMemory(plain);
        return secret;
    }

    /// <summary>
    /// Whether it was sealed with another key than the first, and must be resealed before that key is removed.
    /// </summary>
    public bool IsStale(byte[] box) => Encoding.ASCII.GetString(HeaderOf(box)[2..]) != current;

    /// <summary>Reseals a box with the first key.</summary>
    public byte[] Reseal(Guid tenantId, string purpose, byte[] box) =>
        Seal(tenantId, purpose, Open(tenantId, purpose, box));

    private static ReadOnlySpan<byte> HeaderOf(byte[] box)
    {
        if (box.Length < 2 || box[0] != Version || box.Length < 2 + box[1] + NonceSize + TagSize)
            throw new CryptographicException("A stored secret has a format that this version does not know.");
        return box.AsSpan(0, 2 + box[1]);
    }

    // Lengths first, so that no two combinations of parts give the same bytes.
    private static byte[] AssociatedData(Guid tenantId, string purpose, ReadOnlySpan<byte> header)
    {
        var purposeBytes = Encoding.UTF8.GetBytes(purpose);
        var data = new byte[16 + 4 + purposeBytes.Length + header.Length];
        tenantId.TryWriteBytes(data, bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(16), purposeBytes.Length);
        purposeBytes.CopyTo(data, 20);
        header.CopyTo(data.AsSpan(20 + purposeBytes.Length));
        return data;
    }
}
