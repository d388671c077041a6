using ViralEngine.LocalRuntime.Http;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>The ASP.NET Core integration.</summary>
public static class FunctionsApplicationBuilderAspNetCoreExtensions
{
    /// <summary>Gives functions and middleware the request as <c>HttpContext</c>. Middleware added before this call
    /// sees no request, and results are already executed when it gets control back.</summary>
    public static FunctionsApplicationBuilder ConfigureFunctionsWebApplication(this FunctionsApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.ServesHttp)
            return builder;
        builder.ServesHttp = true;
        builder.Use(HttpResults.Middleware);
        return builder;
    }
}
