using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Organizations;

/// <summary>Tokens of a real provider, and such as it would never sign.</summary>
public sealed class OidcTokenTests(OidcApp app) : IClassFixture<OidcApp>
{
    private readonly OidcProvider provider = app.Provider;

    [Fact]
    public async Task A_token_as_the_provider_issues_it_is_accepted_with_the_member_s_role() =>
        await app.AssertAcceptedAsync(await provider.IssueAsync());

    [Fact]
    public async Task A_token_that_the_provider_issues_for_another_audience_is_refused() =>
        await app.AssertRefusedAsync(await provider.IssueAsync("another-api"), "The token is for another audience.");

    [Fact]
    public async Task A_token_beyond_its_time_is_refused()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        // Within the half minute by which clocks may differ.
        await app.AssertAcceptedAsync(
            await provider.ForgeAsync(claims => (claims["nbf"], claims["exp"]) = (now + 20, now + 300)));

        await app.AssertRefusedAsync(
            await provider.ForgeAsync(claims => claims["exp"] = now - 60), "The token has expired.");
        await app.AssertRefusedAsync(
            await provider.ForgeAsync(claims => claims.Remove("exp")), "The token has expired.");
        await app.AssertRefusedAsync(
            await provider.ForgeAsync(claims => claims["nbf"] = now + 60), "The token is not valid yet.");
    }

    [Fact]
    public async Task A_token_of_nobody_or_of_another_issuer_is_refused()
    {
        await app.AssertRefusedAsync(
            await provider.ForgeAsync(claims => claims.Remove("sub")), "The token has no subject.");
        await app.AssertRefusedAsync(
            await provider.ForgeAsync(claims => claims["iss"] = "http://127.0.0.1:1"),
            "Tokens of this issuer are not accepted.");
    }

    [Theory]
    [InlineData("none", "The token's signature is not valid.")]
    [InlineData("HS256", "The token's signature is not valid.")]
    public async Task An_algorithm_of_the_token_s_own_choice_is_refused(string algorithm, string why)
    {
        await app.AssertRefusedAsync(await provider.ForgeAsync(algorithm: algorithm), why);
    }

    [Theory]
    [InlineData("none", "The token's signature is not valid.")]
    [InlineData("HS256", "The token's key does not belong to its issuer.")]
    [InlineData("RS256", "The token's key does not belong to its issuer.")]
    public async Task The_provider_s_key_signs_nothing_for_the_development_issuer(string algorithm, string why)
    {
        await app.AssertRefusedAsync(
            await provider.ForgeAsync(claims => claims["iss"] = "viral-engine-dev", algorithm), why);
    }

    [Fact]
    public async Task A_key_id_that_the_provider_does_not_publish_is_refused() =>
        await app.AssertRefusedAsync(
            await provider.ForgeAsync(keyId: "of-nobody"), "The token's key does not belong to its issuer.");
}
