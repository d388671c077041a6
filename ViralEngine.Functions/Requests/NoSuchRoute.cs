using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Answers requests below <c>/api</c> that no endpoint handles: 405 if another method is supported, else 404.
/// </summary>
internal sealed class NoSuchRoute(EndpointCatalog endpoints)
{
    // The host tries routes in the alphabetical order of function names: the catch-all must be the last.
    [Function("ZNoSuchRoute")]
    public IResult Run(
        [HttpTrigger(
            AuthorizationLevel.Anonymous, "get", "post", "put", "patch", "delete", "head", "options",
            Route = "api/{*path}")]
        HttpRequest request)
    {
        var methods = endpoints.MethodsOf(request.Path);
        if (methods.Count == 0)
            return Problem.NotFound("route");
        return new Problem(405, "method-not-allowed", "Method not allowed.", $"Allowed: {string.Join(", ", methods)}.")
        {
            Headers = new Dictionary<string, string> { ["Allow"] = string.Join(", ", methods) },
        };
    }
}
