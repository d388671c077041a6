using Microsoft.AspNetCore.Http;
using ViralEngine.LocalRuntime.Http;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Access to the request an invocation answers.</summary>
public static class FunctionContextExtensions
{
    /// <summary>The request's context; null when the function was not started by HTTP.</summary>
    public static HttpContext? GetHttpContext(this FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Items.TryGetValue(HttpResults.HttpContextKey, out var request) ? request as HttpContext : null;
    }
}
