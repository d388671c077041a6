using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using ViralEngine.Functions.Organizations;

namespace ViralEngine.Functions.Requests;

/// <summary>Lets a tenant have no more than its share of requests, streams and transfers at this instance.</summary>
internal sealed class ShareMiddleware(EndpointCatalog endpoints, TenantShares shares) : IFunctionsWorkerMiddleware
{
    private readonly Dictionary<string, ShareKind> kinds = endpoints.All.ToDictionary(endpoint => endpoint.Function, KindOf);

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext()!.FindCaller() is not { Plan: not null } caller)
        {
            await next(context);
            return;
        }

        var kind = kinds[context.FunctionDefinition.Name];
        using var held = await shares.TakeAsync(caller.Tenant, kind, context.CancellationToken);
        await next(context);
        // A result is executed only after the middleware; what streams is to be over when its share is given back.
        if (kind == ShareKind.Transfer)
            await context.AnswerAsync();
    }

    private static ShareKind KindOf(Endpoint endpoint)
    {
        if (endpoint.IsStream)
            return ShareKind.Stream;
        return endpoint.Method.GetCustomAttribute<StreamsBodyAttribute>() is not null
            || endpoint.Method.GetCustomAttribute<StreamsResultAttribute>() is not null
                ? ShareKind.Transfer
                : ShareKind.Request;
    }
}
