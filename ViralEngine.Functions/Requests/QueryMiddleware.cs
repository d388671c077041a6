using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Rejects unknown query parameters on requests that change something, so that misspelt ones are not silently ignored.
/// Endpoints with parameters check their own; pages are not strict.
/// </summary>
internal sealed class QueryMiddleware(EndpointCatalog endpoints) : IFunctionsWorkerMiddleware
{
    private static readonly string[] Unknown = ["Unknown parameter: this endpoint takes none."];

    private readonly HashSet<string> strict =
    [
        .. endpoints.All
            .Where(endpoint => endpoint.IsApi && endpoint.Allowed is not null
                && endpoint.Method.GetCustomAttribute<QueryAttribute>() is null)
            .Select(endpoint => endpoint.Function),
    ];

    public Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var request = context.GetHttpContext()!.Request;
        if (request.Query.Count > 0 && !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method)
            && strict.Contains(context.FunctionDefinition.Name))
        {
            throw new ProblemException(Problem.Validation(
                request.Query.ToDictionary(parameter => parameter.Key, _ => Unknown)));
        }

        return next(context);
    }
}
