namespace Microsoft.Azure.Functions.Worker.Middleware;

/// <summary>Code that runs around every invocation: HTTP, timers, orchestrations and activities alike.</summary>
public interface IFunctionsWorkerMiddleware
{
    Task Invoke(FunctionContext context, FunctionExecutionDelegate next);
}
