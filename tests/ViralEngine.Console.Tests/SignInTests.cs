using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Console.Tests;

/// <summary>How sessions begin, what they are worth, and how they end.</summary>
public sealed class SignInTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task The_root_leads_to_the_console()
    {
        using var visitor = NewVisitor();

        var answer = await visitor.GetAsync("/");

        Assert.Equal((HttpStatusCode.Found, "/console"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
    }

    [Fact]
    public async Task Who_is_not_signed_in_is_led_to_sign_in_and_back()
    {
        using var tenant = await console.NewTenantAsync();
        using var visitor = NewVisitor();

        var refused = await visitor.GetAsync("/console/tasks?tag=a");
        var back = await visitor.PostAsync(
            "/console/sign-in", null, ("credential", tenant.OwnerKey), ("return", "/console/tasks?tag=a"));

        Assert.Equal("/console/sign-in?return=%2Fconsole%2Ftasks%3Ftag%3Da", refused.Headers.Location?.OriginalString);
        Assert.Equal("/console/tasks?tag=a", back.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/console/tasks?tag=a")).StatusCode);
    }

    [Theory]
    [InlineData("https://example.com/")]
    [InlineData("//example.com")]
    [InlineData("/console\\example.com")]
    [InlineData("/consolex")]
    [InlineData("/console/\\example.com")]
    public async Task Signing_in_never_leads_to_another_site(string back)
    {
        using var tenant = await console.NewTenantAsync();
        using var visitor = NewVisitor();

        var answer = await visitor.PostAsync(
            "/console/sign-in", null, ("credential", tenant.OwnerKey), ("return", back));

        Assert.Equal("/console", answer.Headers.Location?.OriginalString);
    }

    [Theory]
    [InlineData("vk_unknown")]
    [InlineData("")]
    [InlineData(AppSettings.PlatformKey)]
    public async Task Refuses_what_is_no_key_of_an_organization(string credential)
    {
        using var visitor = NewVisitor();

        var answer = await visitor.PostAsync("/console/sign-in", null, ("credential", credential));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(0, visitor.Cookies.Count);
    }

    [Fact]
    public async Task The_cookie_tells_nothing_and_is_not_for_scripts_or_other_sites()
    {
        using var tenant = await console.NewTenantAsync();
        using var visitor = NewVisitor();

        var answer = await visitor.PostAsync("/console/sign-in", null, ("credential", tenant.OwnerKey));

        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(tenant.OwnerKey, cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_ends_with_its_key()
    {
        using var tenant = await console.NewTenantAsync();
        var made = (await tenant.Owner.PostAsync(
            $"/api/organizations/{tenant.Id}/api-keys", new { name = "mine", role = "viewer" }))
            .Expect(HttpStatusCode.Created).Json;
        using var visitor = NewVisitor();
        await visitor.SignInAsync(made.GetProperty("key").GetString()!);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/console")).StatusCode);

        (await tenant.Owner.DeleteAsync(
            $"/api/organizations/{tenant.Id}/api-keys/{made.GetProperty("id").GetString()}"))
            .Expect(HttpStatusCode.NoContent);

        Assert.Equal(HttpStatusCode.SeeOther, (await visitor.GetAsync("/console")).StatusCode);
    }

    [Fact]
    public async Task Signing_out_everywhere_ends_the_other_sessions_and_leaves_the_key()
    {
        using var tenant = await console.NewTenantAsync();
        using var here = NewVisitor();
        using var there = NewVisitor();
        await here.SignInAsync(tenant.OwnerKey);
        await there.SignInAsync(tenant.OwnerKey);
        var form = await here.FormAsync("/console", "/console/sign-out/everywhere");

        Assert.Equal(HttpStatusCode.SeeOther, (await here.PostAsync(form.Action, form.Token)).StatusCode);

        Assert.Equal(HttpStatusCode.SeeOther, (await there.GetAsync("/console")).StatusCode);
        await here.SignInAsync(tenant.OwnerKey);
        Assert.Equal(HttpStatusCode.OK, (await here.GetAsync("/console")).StatusCode);
    }

    [Fact]
    public async Task A_member_of_two_organizations_goes_from_one_to_the_other()
    {
        using var one = await console.NewTenantAsync();
        using var other = await console.NewTenantAsync();
        using var foreign = await console.NewTenantAsync();
        var subject = $"person-{Guid.NewGuid():n}";
        using var member = await one.NewMemberAsync("viewer", subject);
        await JoinAsync(other, subject);
        var task = await other.SubmitAsync(new { agent_id = "echo", description = "theirs" });
        using var visitor = NewVisitor();
        await visitor.SignInAsync(DevelopmentToken.Create(subject));
        var form = await visitor.FormAsync("/console/organizations", "/console/organizations");

        await visitor.PostAsync(form.Action, form.Token, ("organization", $"{other.Id}"));
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync($"/console/tasks/{task}")).StatusCode);
        await visitor.PostAsync("/console/organizations", form.Token, ("organization", $"{one.Id}"));
        Assert.Equal(HttpStatusCode.NotFound, (await visitor.GetAsync($"/console/tasks/{task}")).StatusCode);
        var refused = await visitor.PostAsync("/console/organizations", form.Token, ("organization", $"{foreign.Id}"));

        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
    }

    [Fact]
    public async Task A_link_from_elsewhere_finds_who_is_signed_in()
    {
        using var visitor = NewVisitor();

        // No browser sends the session with it, so the page leads there once more, from here.
        var answer = await visitor.GetAsync("/console/tasks?tag=\"><b>", ("Sec-Fetch-Site", "cross-site"));

        var html = await answer.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("http-equiv=\"refresh\" content=\"0;url=/console/tasks?tag=", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", html, StringComparison.Ordinal);
    }

    private static async Task JoinAsync(TestTenant tenant, string subject)
    {
        using var member = await tenant.NewMemberAsync("viewer", subject);
    }

    private Visitor NewVisitor() => new(console.App.Address);
}
