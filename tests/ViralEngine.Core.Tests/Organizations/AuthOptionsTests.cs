using System.ComponentModel.DataAnnotations;
using ViralEngine.Core.Organizations;

namespace ViralEngine.Core.Tests.Organizations;

public sealed class AuthOptionsTests
{
    [Theory]
    [InlineData("@Microsoft.KeyVault(VaultName=kv-viral-abc;SecretName=platform-key)", null)]
    [InlineData(null, "@Microsoft.KeyVault(VaultName=kv-viral-abc;SecretName=jwt-shared-key)")]
    public void Refuses_a_reference_to_the_vault_that_nobody_resolved(string? platformKey, string? sharedKey) =>
        Assert.Contains(
            Faults(new AuthOptions { PlatformKey = platformKey, JwtSharedKey = sharedKey }),
            fault => fault.ErrorMessage!.Contains("unresolved", StringComparison.Ordinal));

    [Fact]
    public void Takes_keys_that_are_long_enough() =>
        Assert.Empty(Faults(new AuthOptions { PlatformKey = new string('p', 32), JwtSharedKey = new string('j', 32) }));

    [Fact]
    public void Refuses_keys_that_are_too_short() =>
        Assert.Equal(2, Faults(new AuthOptions { PlatformKey = "short", JwtSharedKey = "short" }).Count);

    private static List<ValidationResult> Faults(AuthOptions options)
    {
        var faults = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true);
        return faults;
    }
}
