using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Console.Shell;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Shows a problem as a page, with what to do next. Redirects to sign-in if nobody is signed in.</summary>
internal sealed class ConsoleProblem(IServiceProvider services) : IProblemPage
{
    public async Task WriteAsync(HttpContext http, Problem problem)
    {
        if (problem.Status == StatusCodes.Status401Unauthorized)
        {
            await LeadToSignInAsync(http);
            return;
        }

        // A person without an organization may have invitations.
        if (problem.Status == StatusCodes.Status403Forbidden && HttpMethods.IsGet(http.Request.Method)
            && IsNobodysMember(http))
        {
            await new SeeOther("/console/invitations", null).ExecuteAsync(http);
            return;
        }

        foreach (var (name, value) in problem.Headers ?? new Dictionary<string, string>())
            http.Response.Headers[name] = value;
        if (problem.RetryAfter is { } seconds)
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        var page = await services.GetRequiredService<ConsolePages>().ShowWithoutDatabaseAsync<ProblemPage>(
            http.Request, problem.Title, new()
            {
                [nameof(ProblemPage.Status)] = problem.Status,
                [nameof(ProblemPage.Title)] = problem.Title,
                [nameof(ProblemPage.Detail)] = problem.Errors is null ? problem.Detail : null,
                [nameof(ProblemPage.Errors)] = problem.Errors ?? new Dictionary<string, string[]>(),
                [nameof(ProblemPage.RequestId)] = RequestIds.Of(http),
            }, problem.Status);
        await page.ExecuteAsync(http);
    }

    private bool IsNobodysMember(HttpContext http) =>
        services.GetRequiredService<SessionCookie>().Read(http) is { Tenant: null } && http.FindCaller() is null;

    /// <summary>
    /// The session cookie is not sent with links from other sites, so such a visit first gets a page that reloads the
    /// same address.
    /// </summary>
    private static Task LeadToSignInAsync(HttpContext http)
    {
        var request = http.Request;
        var here = request.Path + request.QueryString;
        var isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (isRead && request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site")
            return new Onward(here).ExecuteAsync(http);
        var back = isRead ? "?return=" + Uri.EscapeDataString(here) : "";
        return new SeeOther("/console/sign-in" + back, null).ExecuteAsync(http);
    }
}
