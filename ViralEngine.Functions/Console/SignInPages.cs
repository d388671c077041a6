using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.SignIn;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.SignIn;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Starts and ends sessions, and switches organizations.</summary>
internal sealed class SignInPages(
    ConsolePages pages, SessionCookie sessions, SessionStart start, SessionStore store, Authenticator authenticator,
    ProviderSignIn provider, PublicAddress address)
{
    internal const string Address = "/console/sign-in";
    private const string Start = "/console";

    [Function("ConsoleSignIn")]
    public Task<IResult> ShowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/sign-in")] HttpRequest request,
        CancellationToken ct) =>
        ShowAsync(request, request.Query["return"].ToString(), null, ct);

    [Function("ConsoleSignInForm")]
    public async Task<IResult> SignInAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/sign-in")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var credential = form["credential"].ToString().Trim();
        var back = form["return"].ToString();
        var (there, fault) = await start.BeginAsync(
            request.HttpContext, new ProviderTokens(credential), LocalAddress(back), ct);
        return there is null ? await ShowAsync(request, back, fault, ct, 400) : new SeeOther(there, null);
    }

    /// <summary>Shows the sign-in page, optionally with an error.</summary>
    internal Task<IResult> ShowAsync(
        HttpRequest request, string back, string? fault, CancellationToken ct, int status = 200) =>
        pages.ShowAsync<SignInPage>(request, "Sign in", "", new()
        {
            [nameof(SignInPage.Return)] = LocalAddress(back),
            [nameof(SignInPage.Provider)] = provider.Name,
            [nameof(SignInPage.Fault)] = fault,
        }, ct, status);

    // People without an organization must be able to sign out too.
    [Function("ConsoleSignOut"), AllowPeople, WaitsForOthers]
    public async Task<IResult> SignOutAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/sign-out")] HttpRequest request,
        CancellationToken ct)
    {
        await EndAsync(request.HttpContext, ct);
        return new SeeOther(Address, null);
    }

    /// <summary>Also signs out at the provider, if the person signed in with one.</summary>
    [Function("ConsoleSignOutEverywhere"), Allow(Roles.Readers), WaitsForOthers]
    public async Task<IResult> SignOutEverywhereAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/sign-out/everywhere")] HttpRequest request,
        CancellationToken ct)
    {
        await store.EndAllAsync(request.Caller(), ct);
        var isPerson = request.Caller().Kind == CallerKind.User;
        await EndAsync(request.HttpContext, ct);
        return isPerson && await provider.SignOutAddressAsync(address.Of(request) + Address, ct) is { } end
            ? new Onward(end)
            : new SeeOther(Address, null);
    }

    [Function("ConsoleOrganizations"), Allow(Roles.Readers)]
    public async Task<IResult> OrganizationsAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/organizations")] HttpRequest request,
        CancellationToken ct)
    {
        if (request.Caller().Subject is not { } subject)
            return Problem.NotFound("page: an API key belongs to one organization");
        return await pages.ShowAsync<OrganizationsPage>(request, "Switch organization", "", new()
        {
            [nameof(OrganizationsPage.Memberships)] = await store.OrganizationsOfAsync(subject, ct),
        }, ct);
    }

    [Function("ConsoleSwitchOrganization"), Allow(Roles.Readers)]
    public async Task<IResult> SwitchAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/organizations")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        if (!Ids.TryParse(form["organization"].ToString(), out var tenant))
            return Problem.NotFound("organization");
        var outcome = await authenticator.AuthenticateAsync(sessions.Read(request.HttpContext)!.Credential, tenant, ct);
        if (outcome is not Authenticator.Outcome.Known(var caller))
            return Problem.NotFound("organization");
        sessions.Switch(request.HttpContext, tenant, caller.Sessions);
        return new SeeOther(Start + "?notice=switched", null);
    }

    /// <summary>Sets the theme of the browser, for everybody who signs in there.</summary>
    [Function("ConsoleTheme")]
    public static async Task<IResult> ThemeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/theme")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var cookie = new CookieOptions
        {
            Path = Start,
            SameSite = SameSiteMode.Lax,
            HttpOnly = true,
            MaxAge = TimeSpan.FromDays(365),
        };
        if (form["theme"].ToString() is "light" or "dark")
            request.HttpContext.Response.Cookies.Append(ConsolePages.ThemeCookie, form["theme"].ToString(), cookie);
        else
            request.HttpContext.Response.Cookies.Delete(ConsolePages.ThemeCookie, cookie);
        return new SeeOther(LocalAddress(form["return"].ToString()), null);
    }

    private async Task EndAsync(HttpContext http, CancellationToken ct)
    {
        var refreshToken = sessions.Read(http)?.RefreshToken;
        sessions.End(http);
        if (refreshToken is not null)
            await provider.RevokeAsync(refreshToken, ct);
    }

    /// <summary>An address within the console; anything else becomes the home page.</summary>
    internal static string LocalAddress(string? asked) =>
        asked is not null && asked.StartsWith(Start, StringComparison.Ordinal)
        && (asked.Length == Start.Length || asked[Start.Length] is '/' or '?')
        && !asked.Contains('\\', StringComparison.Ordinal) && !asked.Any(char.IsControl)
            ? asked
            : Start;
}
