namespace ViralEngine.Functions.Tests.Organizations;

/// <summary>A real provider turns its keys while the app runs.</summary>
public sealed class OidcKeyTests(OidcApp app) : IClassFixture<OidcApp>
{
    [Fact]
    public async Task A_new_key_is_known_with_its_first_token_and_one_that_is_gone_is_refused()
    {
        var provider = app.Provider;
        var first = await provider.IssueAsync();
        await app.AssertAcceptedAsync(first);

        await provider.RotateAsync(keep: true);
        var second = await provider.IssueAsync();
        await app.AssertAcceptedAsync(second);
        await app.AssertAcceptedAsync(first);

        // The app asks for keys once a second at the most.
        await Task.Delay(TimeSpan.FromSeconds(2));
        await provider.RotateAsync(keep: false);
        await app.AssertAcceptedAsync(await provider.IssueAsync());

        await app.AssertRefusedAsync(first, "The token's key does not belong to its issuer.");
        await app.AssertRefusedAsync(second, "The token's key does not belong to its issuer.");
    }
}
