using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using ViralEngine.Functions.Organizations;

namespace ViralEngine.Functions.Requests;

/// <summary>Limits a tenant to its share of requests, streams and transfers of this instance.</summary>
internal sealed class ShareMiddleware(EndpointCatalog endpoints, TenantShares shares) : IFunctionsWorkerMiddleware
{
    private readonly Dictionary<string, ShareKind> kinds = endpoints.All.ToDictionary(
        endpoint => endpoint.Function, KindOf);

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
        // The worker executes results after the middleware: execute streams here, so that they end before their share
        // is released.
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
