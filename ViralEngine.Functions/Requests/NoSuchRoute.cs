using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.Functions.Requests;

/// <summary>Answers requests that no endpoint takes: 405 where another method would do, else 404.</summary>
internal sealed class NoSuchRoute(EndpointCatalog endpoints)
{
    [Function("NoSuchRoute")]
    public IResult Run(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", "put", "patch", "delete", "head", "options", Route = "{*path}")]
        HttpRequest request,
        string? path)
    {
        var methods = endpoints.MethodsOf(path ?? "");
        if (methods.Count == 0)
            return Problem.NotFound("route");
        return new Problem(405, "method-not-allowed", "The route does not know this method.", $"It knows {string.Join(", ", methods)}; not {request.Method}.")
        {
            Headers = new Dictionary<string, string> { ["Allow"] = string.Join(", ", methods) },
        };
    }
}
