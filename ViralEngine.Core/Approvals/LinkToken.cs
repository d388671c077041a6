using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Approvals;

/// <summary>The content of a link: one decision by one approver, once, until it expires.</summary>
public sealed record LinkToken(TenantId Tenant, Guid LinkId, DecisionKind Decision, DateTimeOffset ExpiresAt);

/// <summary>
/// Signs links with HMAC-SHA-256 under keys derived from the key ring: the first signs, all verify, so that links
/// outlive a rotation.
/// </summary>
/// <remarks>Format, in base64url: tenant (16), link (16), decision (1), expiry in Unix seconds (8), MAC (32).</remarks>
public sealed class LinkSigner
{
    private const int Signed = 41;
    private const int Length = Signed + HMACSHA256.HashSizeInBytes;

    private readonly List<byte[]> keys = [];

    public LinkSigner(IOptions<SecretsOptions> options)
    {
        foreach (var entry in options.Value.Keys)
        {
            if (SecretsOptions.TryParse(entry, out _, out var key))
                keys.Add(HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, info: "viral approval links"u8.ToArray()));
        }
    }

    public string Sign(LinkToken token)
    {
        var bytes = new byte[Length];
        token.Tenant.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        token.LinkId.TryWriteBytes(bytes.AsSpan(16), bigEndian: true, out _);
        bytes[32] = (byte)token.Decision;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(33), token.ExpiresAt.ToUnixTimeSeconds());
        HMACSHA256.HashData(keys[0], bytes.AsSpan(0, Signed), bytes.AsSpan(Signed));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>The token's content; null if its signature is not valid. The caller checks its expiry.</summary>
    public LinkToken? Verify(string text)
    {
        // Check the length before decoding, because anybody can send anything here.
        if (text.Length != Base64Url.GetEncodedLength(Length) || !Base64Url.IsValid(text))
            return null;
        var bytes = new byte[Length];
        if (!Base64Url.TryDecodeFromChars(text, bytes, out var written) || written != Length)
            return null;
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        foreach (var key in keys)
        {
            HMACSHA256.HashData(key, bytes.AsSpan(0, Signed), mac);
            if (CryptographicOperations.FixedTimeEquals(mac, bytes.AsSpan(Signed)))
            {
                return new LinkToken(
                    new TenantId(new Guid(bytes.AsSpan(0, 16), bigEndian: true)),
                    new Guid(bytes.AsSpan(16, 16), bigEndian: true),
                    (DecisionKind)bytes[32],
                    DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(33))));
            }
        }

        return null;
    }
}
