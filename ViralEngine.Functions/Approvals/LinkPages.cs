using Microsoft.AspNetCore.Http;
using ViralEngine.Console.Approvals;
using ViralEngine.Core.Approvals;
using ViralEngine.Functions.Console;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Approvals;

/// <summary>What people see behind a one-time link, in the design of the console.</summary>
internal sealed class LinkPages(ConsolePages pages, IServiceProvider services)
{
    /// <summary>Call it first: problems become pages too, where a browser asks.</summary>
    public void Prepare(HttpContext http)
    {
        ConsoleHeaders.Set(http.Response);
        // The address is the link's secret.
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        if (http.Request.GetTypedHeaders().Accept.Any(type => type.MediaType == "text/html"))
            http.Features.Set<IProblemPage>(new ConsoleProblem(services));
    }

    public Task<IResult> AskAsync(HttpRequest request, ApprovalLink link) =>
        ShowAsync(request, 200, link.Decision == DecisionKind.Approve ? "Approve?" : "Reject?", new()
        {
            [nameof(LinkPage.Link)] = link,
        });

    public Task<IResult> ThankAsync(HttpRequest request, ApprovalLink link) =>
        ShowAsync(request, 200, "Thank you", new()
        {
            [nameof(LinkPage.Link)] = link,
            [nameof(LinkPage.Decided)] = true,
        });

    public Task<IResult> RefuseAsync(HttpRequest request, int status, string fault) =>
        ShowAsync(request, status, "This link no longer works", new() { [nameof(LinkPage.Fault)] = fault });

    private Task<IResult> ShowAsync(
        HttpRequest request, int status, string title, Dictionary<string, object?> parameters) =>
        pages.ShowWithoutDatabaseAsync<LinkPage>(request, title, parameters, status);
}
