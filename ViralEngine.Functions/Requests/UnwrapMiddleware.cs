using System.Runtime.ExceptionServices;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// The innermost middleware: unwraps the <see cref="AggregateException"/> in which the worker passes on exceptions of
/// asynchronous functions.
/// </summary>
internal sealed class UnwrapMiddleware : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (AggregateException wrapped) when (wrapped.InnerExceptions.Count == 1)
        {
            ExceptionDispatchInfo.Throw(wrapped.InnerExceptions[0]);
        }
    }
}
