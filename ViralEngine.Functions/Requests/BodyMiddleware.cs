using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace ViralEngine.Functions.Requests;

/// <summary>Has every body received before the endpoint runs, and before a transaction is begun around it.</summary>
internal sealed class BodyMiddleware(BodyReceiver bodies) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext()!;
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
            await bodies.ReceiveAsync(http, context.FunctionDefinition.Name, context.CancellationToken);
        try
        {
            await next(context);
        }
        catch (Exception e) when (ContentCodings.Explains(e))
        {
            throw new ProblemException(ContentCodings.Broken());
        }
    }
}
