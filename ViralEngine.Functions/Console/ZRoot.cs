using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.Functions.Console;

/// <summary>Leads from the app's root to the console. The Functions host's own page there is off (<c>AzureWebJobsDisableHomepage</c>).</summary>
internal static class ZRoot
{
    // An empty route would be the function's name. As the template takes any one segment, the name has to be a late one.
    [Function("ZRoot")]
    public static IResult Run(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "{nothing:maxlength(0)?}")] HttpRequest request) =>
        Results.Redirect("/console");
}
