using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Console.Tests;

/// <summary>Sessions that began at a provider: how they are kept up, and how they end.</summary>
public sealed class ProviderSessionTests(ConsoleWithProvider console) : IClassFixture<ConsoleWithProvider>
{
    // At its fourth second the token is due to be refreshed.
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(5);
    private readonly OidcProvider provider = console.Provider;

    [Fact]
    public async Task Requests_at_two_instances_at_a_time_redeem_a_refresh_token_once()
    {
        await using var another = await console.StartAnotherAsync();
        using var visitor = await SignInAsync();
        using var there = visitor.At(another.Address);
        var (refreshes, revocations) = (await provider.RefreshesAsync(), await provider.RevocationsAsync());
        await Eventually.TrueAsync(async () =>
        {
            // With the same cookie each, as a browser sends them.
            using var one = visitor.Copy();
            using var other = there.Copy();
            var answers = await Task.WhenAll(
                Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? one : other).GetAsync("/console/tasks")));
            Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
            return await provider.RefreshesAsync() > refreshes;
        }, "a refresh token to be redeemed");

        Assert.Equal(refreshes + 1, await provider.RefreshesAsync());
        Assert.Equal(revocations, await provider.RevocationsAsync());
    }

    [Fact]
    public async Task A_session_that_the_provider_has_ended_is_over()
    {
        using var visitor = await SignInAsync();
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/console")).StatusCode);

        await provider.ForgetAsync();

        await Eventually.TrueAsync(
            async () => (await visitor.GetAsync("/console")).StatusCode == HttpStatusCode.SeeOther,
            "the session to be over");
        Assert.Equal(0, visitor.Cookies.Count);
    }

    [Fact]
    public async Task Signing_out_gives_the_refresh_token_back()
    {
        using var visitor = await SignInAsync();
        var revocations = await provider.RevocationsAsync();
        var form = await visitor.FormAsync("/console", "/console/sign-out");

        await visitor.PostAsync(form.Action, form.Token);

        Assert.Equal(revocations + 1, await provider.RevocationsAsync());
        await visitor.IsLedToSignInAsync("/console");
    }

    [Fact]
    public async Task Signing_out_everywhere_ends_the_other_sessions_and_leads_to_the_provider_s_end()
    {
        var subject = $"person-{Guid.NewGuid():n}";
        using var here = await SignInAsync(subject);
        using var there = await SignInAsync(subject);
        var form = await here.FormAsync("/console", "/console/sign-out/everywhere");

        var answer = await here.PostAsync(form.Action, form.Token);

        Assert.Contains(
            $"url={provider.Issuer}/session/end?", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await there.IsLedToSignInAsync("/console");
    }

    private async Task<Visitor> SignInAsync(string? subject = null)
    {
        await console.ServeAsync(Short);
        subject ??= $"person-{Guid.NewGuid():n}";
        using var tenant = await console.NewTenantAsync();
        using var member = await tenant.NewMemberAsync("viewer", subject);
        var visitor = new Visitor(console.App.Address);
        var there = (await visitor.GetAsync("/console/sign-in/provider")).Headers.Location!;
        var back = await OidcProvider.SignInAsync(there, subject);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync(back.PathAndQuery)).StatusCode);
        return visitor;
    }
}
