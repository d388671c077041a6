using System.Collections.Specialized;
using System.Net;
using System.Text.Json;
using System.Web;
using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>Signing in at an OpenID Connect provider: what works, and what each of its failures looks like.</summary>
public sealed class ProviderSignInTests(ConsoleWithProvider console) : IClassFixture<ConsoleWithProvider>
{
    private const string Callback = "/console/sign-in/callback";
    private readonly OidcProvider provider = console.Provider;

    [Fact]
    public async Task A_person_signs_in_at_the_provider_and_comes_back_to_where_they_were_going()
    {
        using var tenant = await console.NewTenantAsync();
        var subject = NewSubject();
        using var member = await tenant.NewMemberAsync("viewer", subject);
        await using var window = await console.NewWindowAsync();
        var page = window.Page;

        await page.GotoAsync("/console/tasks?tag=a");
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in with the provider" }).ClickAsync();
        await page.GetByLabel("Login").FillAsync(subject);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();

        await page.WaitForURLAsync("**/console/tasks?tag=a", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        await Expect(page.Locator(".where small")).ToHaveTextAsync("viewer");
        var cookies = await window.CookiesAsync();
        Assert.DoesNotContain(cookies, cookie => cookie.Name == "viral-sign-in");
        Assert.Contains(
            cookies, cookie => cookie is { Name: "viral-console", HttpOnly: true, SameSite: SameSiteAttribute.Strict });
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Who_belongs_to_no_organization_accepts_an_invitation_and_is_in()
    {
        using var tenant = await console.NewTenantAsync();
        var subject = NewSubject();
        await using var window = await console.NewWindowAsync();
        var page = window.Page;
        await page.GotoAsync("/console/sign-in/provider");
        await page.GetByLabel("Login").FillAsync(subject);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.Locator("#subject")).ToHaveTextAsync(subject);
        (await tenant.Owner.PostAsync($"/api/organizations/{tenant.Id}/members", new { subject, role = "operator" }))
            .Expect(HttpStatusCode.Created);

        await page.GotoAsync("/console");
        await page.GetByRole(AriaRole.Button, new() { Name = "Accept" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("You are now a member of this organization.");
        await Expect(page.Locator(".where small")).ToHaveTextAsync("operator");
        var audited = await tenant.Owner.ListAsync("/api/audit-log", "entries");
        Assert.Contains(audited, entry => entry.GetProperty("action").GetString() == "member.accepted");
        await window.LooksRightAsync("/console/invitations", "invitations");
    }

    [Fact]
    public async Task The_page_to_sign_in_at_offers_both_ways()
    {
        await using var window = await console.NewWindowAsync();

        await window.LooksRightAsync("/console/sign-in", "sign-in-provider");
    }

    [Fact]
    public async Task Who_says_no_at_the_provider_reads_so_and_may_try_again()
    {
        await using var window = await console.NewWindowAsync();
        var page = window.Page;
        await page.GotoAsync("/console/sign-in/provider");

        await page.GetByRole(AriaRole.Button, new() { Name = "Deny" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("access was denied");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Sign in with the provider" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_sign_in_is_kept_from_scripts_and_other_sites_and_tells_nothing()
    {
        using var visitor = NewVisitor();

        var answer = await visitor.GetAsync("/console/sign-in/provider?return=/console/tasks");

        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        var asked = HttpUtility.ParseQueryString(answer.Headers.Location!.Query);
        Assert.Equal(
            ("code", "S256", "console"), (asked["response_type"], asked["code_challenge_method"], asked["client_id"]));
        Assert.DoesNotContain(asked["state"]!, cookie, StringComparison.Ordinal);
        Assert.DoesNotContain(asked["code_challenge"]!, cookie, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("state=other&code=x", "Another sign-in was started in this browser.")]
    [InlineData("code=x", "Another sign-in was started in this browser.")]
    [InlineData("state={state}", "The provider sent no code.")]
    [InlineData("state={state}&code=x&iss=https://evil.example", "the response has the wrong issuer")]
    [InlineData("state={state}&code=never-issued", "The provider&#x27;s code has been used or has expired.")]
    [InlineData("state={state}&error=access_denied", "access was denied")]
    [InlineData(
        "state={state}&error=server_error&error_description=<script>x</script>", "&lt;script&gt;x&lt;/script&gt;")]
    public async Task An_answer_that_does_not_fit_signs_nobody_in(string query, string said)
    {
        using var visitor = NewVisitor();
        var asked = await BeginAsync(visitor);
        if (!query.Contains("iss=", StringComparison.Ordinal))
            query += $"&iss={provider.Issuer}";

        var answer = await visitor.GetAsync(
            $"{Callback}?{query.Replace("{state}", asked["state"], StringComparison.Ordinal)}");

        await IsRefusedAsync(visitor, answer, said);
    }

    [Fact]
    public async Task Another_browser_s_answer_signs_nobody_in()
    {
        using var visitor = NewVisitor();
        using var other = NewVisitor();
        var there = (await visitor.GetAsync("/console/sign-in/provider")).Headers.Location!;
        var back = await OidcProvider.SignInAsync(there, NewSubject());

        await IsRefusedAsync(other, await other.GetAsync(back.PathAndQuery), "started in another browser");
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync(back.PathAndQuery)).StatusCode);
        await IsRefusedAsync(other, await visitor.GetAsync(back.PathAndQuery), "started in another browser");
    }

    [Theory]
    [InlineData(500, "<html>", "responded with status 500")]
    [InlineData(200, "<html>", "its response cannot be read")]
    [InlineData(200, "[]", "its response cannot be read")]
    [InlineData(302, "{}", "responded with status 302")]
    [InlineData(401, """{"error":"invalid_client"}""", "it rejected the code: invalid_client")]
    [InlineData(200, """{"access_token":"x"}""", "it sent no ID token")]
    [InlineData(200, """{"access_token":"x","id_token":"x.y.z"}""", "its ID token is not accepted")]
    public async Task A_provider_that_fails_is_said_to(int status, string body, string said)
    {
        using var visitor = NewVisitor();
        var asked = await BeginAsync(visitor);
        await provider.AnswerNextAsync(status, body);

        var answer = await visitor.GetAsync($"{Callback}?code=x&state={asked["state"]}&iss={provider.Issuer}");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        await IsRefusedAsync(visitor, answer, said);
    }

    [Theory]
    [InlineData("nonce", "The token was not issued for this sign-in.")]
    [InlineData("aud", "The token is for another audience.")]
    [InlineData("azp", "The token was issued to another client.")]
    [InlineData("iss", "Tokens of this issuer are not accepted.")]
    [InlineData("exp", "The token has expired.")]
    [InlineData("alg", "The token&#x27;s signature is not valid.")]
    [InlineData("kid", "The token&#x27;s key does not belong to its issuer.")]
    [InlineData("none of it is for the API", "it issued no token for this API")]
    public async Task An_ID_token_is_checked_as_the_API_checks_tokens(string wrong, string said)
    {
        using var visitor = NewVisitor();
        var asked = await BeginAsync(visitor);
        var token = await provider.ForgeAsync(
            claims =>
            {
                (claims["aud"], claims["nonce"]) = (OidcProvider.ConsoleClient, asked["nonce"]!);
                if (wrong == "azp")
                    (claims["aud"], claims["azp"]) = (new[] { OidcProvider.ConsoleClient, "other" }, "other");
                else if (wrong == "exp")
                    claims["exp"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 60;
                else if (claims.ContainsKey(wrong))
                    claims[wrong] = "http://other";
            },
            wrong == "alg" ? "none" : "RS256",
            wrong == "kid" ? "of-nobody" : null);
        await provider.AnswerNextAsync(
            200, JsonSerializer.Serialize(new { access_token = "opaque", id_token = token }));

        var answer = await visitor.GetAsync($"{Callback}?code=x&state={asked["state"]}&iss={provider.Issuer}");

        await IsRefusedAsync(visitor, answer, said);
    }

    private static async Task<NameValueCollection> BeginAsync(Visitor visitor) =>
        HttpUtility.ParseQueryString((await visitor.GetAsync("/console/sign-in/provider")).Headers.Location!.Query);

    private static async Task IsRefusedAsync(Visitor visitor, HttpResponseMessage answer, string said)
    {
        Assert.True(
            answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.BadGateway,
            $"It answered {answer.StatusCode}.");
        Assert.Contains(said, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await visitor.IsLedToSignInAsync("/console");
    }

    private static string NewSubject() => $"person-{Guid.NewGuid():n}";

    private Visitor NewVisitor() => new(console.App.Address);
}
