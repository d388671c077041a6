using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace ViralEngine.LocalHost.Http;

/// <summary>
/// Between the worker's HTTP middleware and the app's: records exceptions that escape the app, so that the host does
/// not wait for the worker's response.
/// </summary>
internal sealed class HttpFailures : IFunctionsWorkerMiddleware
{
    private static readonly object Key = new();

    /// <summary>What the function threw; null when it did not.</summary>
    public static Exception? Of(HttpContext http) =>
        http.Items.TryGetValue(Key, out var failure) ? (Exception)failure! : null;

    public Task Invoke(FunctionContext context, FunctionExecutionDelegate next) =>
        context.GetHttpContext() is { } http ? ObserveAsync(context, next, http) : next(context);

    private static async Task ObserveAsync(FunctionContext context, FunctionExecutionDelegate next, HttpContext http)
    {
        try
        {
            await next(context);
        }
        catch (Exception exception)
        {
            http.Items[Key] = exception;
            throw;
        }
    }
}
