using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.Functions.Console;

/// <summary>
/// Redirects the app's root to the console. The Functions host's own home page is disabled
/// (<c>AzureWebJobsDisableHomepage</c>).
/// </summary>
internal static class ZRoot
{
    // An empty route would become the function's name. The template matches any single segment, so its name must sort
    // last.
    [Function("ZRoot")]
    public static IResult Run(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "{nothing:maxlength(0)?}")]
        HttpRequest request) =>
        Results.Redirect("/console");
}
