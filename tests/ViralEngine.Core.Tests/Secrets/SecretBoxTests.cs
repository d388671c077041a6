using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Secrets;

namespace ViralEngine.Core.Tests.Secrets;

public sealed class SecretBoxTests
{
    private static readonly Guid Tenant = Guid.CreateVersion7();
    private static readonly string OldKey = Key("2025");
    private static readonly string NewKey = Key("2026");
    private static readonly SecretBox Box = new(Options.Create(new SecretsOptions { Keys = [OldKey] }));

    [Theory]
    [InlineData("")]
    [InlineData("sk-1234567890")]
    [InlineData("grüße, 世界 🌍")]
    public void Opens_what_it_sealed(string secret)
    {
        var box = Box.Seal(Tenant, "agent", secret);

        Assert.Equal(secret, Box.Open(Tenant, "agent", box));
    }

    [Fact]
    public void The_same_secret_never_looks_the_same() =>
        Assert.NotEqual(Box.Seal(Tenant, "agent", "sk-1"), Box.Seal(Tenant, "agent", "sk-1"));

    [Fact]
    public void Does_not_open_for_another_tenant()
    {
        var box = Box.Seal(Tenant, "agent", "sk-1");

        Assert.ThrowsAny<CryptographicException>(() => Box.Open(Guid.CreateVersion7(), "agent", box));
    }

    [Fact]
    public void Does_not_open_for_another_purpose()
    {
        var box = Box.Seal(Tenant, "agent", "sk-1");

        Assert.ThrowsAny<CryptographicException>(() => Box.Open(Tenant, "webhook", box));
    }

    [Fact]
    public void A_change_of_any_bit_is_noticed()
    {
        var box = Box.Seal(Tenant, "agent", "sk-1");

        for (var bit = 0; bit < box.Length * 8; bit++)
        {
            var changed = box.ToArray();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.ThrowsAny<CryptographicException>(() => Box.Open(Tenant, "agent", changed));
        }
    }

    [Fact]
    public void A_cut_at_any_place_is_noticed()
    {
        var box = Box.Seal(Tenant, "agent", "sk-1");

        for (var length = 0; length < box.Length; length++)
            Assert.ThrowsAny<CryptographicException>(() => Box.Open(Tenant, "agent", box[..length]));
    }

    [Fact]
    public void The_key_rotates_without_losing_a_secret()
    {
        var box = Box.Seal(Tenant, "agent", "sk-1");
        var during = new SecretBox(Options.Create(new SecretsOptions { Keys = [NewKey, OldKey] }));
        var after = new SecretBox(Options.Create(new SecretsOptions { Keys = [NewKey] }));

        Assert.Equal("sk-1", during.Open(Tenant, "agent", box));
        Assert.True(during.IsStale(box));
        var resealed = during.Reseal(Tenant, "agent", box);

        Assert.False(during.IsStale(resealed));
        Assert.Equal("sk-1", after.Open(Tenant, "agent", resealed));
        var lost = Assert.Throws<CryptographicException>(() => after.Open(Tenant, "agent", box));
        Assert.Contains("'2025'", lost.Message);
    }

    [Fact]
    public void A_key_needs_no_name()
    {
        var bare = OldKey.Split(':')[1];
        var first = new SecretBox(Options.Create(new SecretsOptions { Keys = [bare] }));
        var later = new SecretBox(Options.Create(new SecretsOptions { Keys = [NewKey, bare] }));

        var box = first.Seal(Tenant, "agent", "sk-1");

        Assert.False(first.IsStale(box));
        Assert.True(later.IsStale(box));
        Assert.Equal("sk-1", later.Open(Tenant, "agent", box));
    }

    [Theory]
    [InlineData("must have at least one key")]
    [InlineData("entry 0 must be", "nocolon")]
    [InlineData("entry 0 must be", ":AAAA")]
    [InlineData("entry 0 must be", "id:not base64")]
    [InlineData("entry 0 must be", "id:c2hvcnQ=")]
    [InlineData("entry 0 must be", "spa ce:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
    [InlineData(
        "twice", "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
    public void Says_what_is_wrong_with_a_key_ring_without_showing_it(string expected, params string[] keys)
    {
        var options = new SecretsOptions { Keys = keys };

        var message = Assert.Single(options.Validate(new ValidationContext(options))).ErrorMessage!;

        Assert.StartsWith("Secrets:Keys", message);
        Assert.Contains(expected, message);
        Assert.DoesNotContain("AAECAwQF", message);
        Assert.Throws<ArgumentException>(() => new SecretBox(Options.Create(options)));
    }

    private static string Key(string id) => $"{id}:{Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}";
}
