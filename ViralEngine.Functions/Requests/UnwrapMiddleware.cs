using System.Runtime.ExceptionServices;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// The innermost piece: the worker hands on what an asynchronous function throws inside an <see cref="AggregateException"/>, and
/// everything further out looks for the exception itself.
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
