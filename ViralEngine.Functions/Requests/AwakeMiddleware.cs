using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Webhooks;
using ViralEngine.Functions.Organizations;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Wakes the loops that poll rarely while nothing is open, before a tenant's request that may create work.
/// </summary>
internal sealed class AwakeMiddleware(Awake awake, DeliveryPump deliveries) : IFunctionsWorkerMiddleware
{
    public Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext()!;
        if (http.FindCaller() is { Plan: not null } && !HttpMethods.IsGet(http.Request.Method)
            && !HttpMethods.IsHead(http.Request.Method))
        {
            awake.Mark();
            deliveries.Stir();
        }

        return next(context);
    }
}
