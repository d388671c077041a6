using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace ViralEngine.Functions.Requests;

/// <summary>Receives every body before the endpoint runs, and before a transaction around it begins.</summary>
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
