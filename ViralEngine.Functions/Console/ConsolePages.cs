using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ViralEngine.Console.Shell;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Renders pages for a request.</summary>
internal sealed class ConsolePages(
    IServiceProvider services, ILoggerFactory logs, OrganizationStore organizations, SessionCookie sessions,
    PublicAddress address)
{
    public const string ThemeCookie = "viral-console-theme";

    /// <param name="section">The menu entry of the page.</param>
    /// <param name="parameters">The component's parameters, by name.</param>
    public async Task<IResult> ShowAsync<TPage>(
        HttpRequest request, string title, string section, Dictionary<string, object?> parameters, CancellationToken ct,
        int status = 200)
        where TPage : IComponent
    {
        var caller = request.HttpContext.FindCaller();
        var organization = caller is null
            ? null
            : (await organizations.FindAsync(caller.Tenant, caller.Tenant.Value, ct))?.Name;
        return await RenderAsync<TPage>(ViewerOf(request, caller, organization), title, section, parameters, status);
    }

    /// <summary>Renders a page without the database, which may be the problem.</summary>
    public Task<IResult> ShowWithoutDatabaseAsync<TPage>(
        HttpRequest request, string title, Dictionary<string, object?> parameters, int status)
        where TPage : IComponent =>
        RenderAsync<TPage>(ViewerOf(request, request.HttpContext.FindCaller(), null), title, "", parameters, status);

    private async Task<IResult> RenderAsync<TPage>(
        Viewer viewer, string title, string section, Dictionary<string, object?> parameters, int status)
        where TPage : IComponent =>
        new PageResult(
            status, await PageRenderer.RenderAsync<TPage>(services, logs, viewer, title, section, parameters));

    private Viewer ViewerOf(HttpRequest request, Caller? caller, string? organization) => new(
        caller,
        organization,
        sessions.Read(request.HttpContext)?.FormToken ?? "",
        request.Path + request.QueryString,
        request.Cookies[ThemeCookie] is "light" or "dark" ? request.Cookies[ThemeCookie] : null,
        address.Of(request),
        request.Query["notice"].ToString());
}
