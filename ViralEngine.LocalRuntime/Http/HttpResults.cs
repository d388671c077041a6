using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker.Middleware;
using ViralEngine.LocalRuntime.Hosting;

namespace ViralEngine.LocalRuntime.Http;

/// <summary>The middleware of the ASP.NET Core integration: shows the request to what comes after it, and executes the
/// result they leave. A value that is not a result is dropped: 200 with an empty body.</summary>
internal static class HttpResults
{
    // The real integration uses this key too, and some code reads it.
    public const string HttpContextKey = "HttpRequestContext";

    public static FunctionExecutionDelegate Middleware(FunctionExecutionDelegate next) => functionContext =>
    {
        var context = (LocalFunctionContext)functionContext;
        return context.Request is { } request ? RespondAsync(context, request, next) : next(context);
    };

    /// <summary>Whether the function declares a result of MVC, whose executors are not there unless added.</summary>
    public static bool IsActionResult(LoadedFunction function)
    {
        var type = function.Method.ReturnType;
        var value = type.IsGenericType ? type.GetGenericArguments()[0] : type;
        return typeof(IActionResult).IsAssignableFrom(value);
    }

    private static async Task RespondAsync(
        LocalFunctionContext context, HttpContext request, FunctionExecutionDelegate next)
    {
        context.Items[HttpContextKey] = request;
        await next(context);
        switch (context.Result.Value)
        {
            case IResult result:
                await result.ExecuteAsync(request);
                break;
            case IActionResult result:
                await result.ExecuteResultAsync(
                    new ActionContext(request, request.GetRouteData(), new ActionDescriptor()));
                break;
        }
    }
}
