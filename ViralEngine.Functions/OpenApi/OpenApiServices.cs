using Microsoft.Extensions.DependencyInjection;

namespace ViralEngine.Functions.OpenApi;

internal static class OpenApiServices
{
    public static IServiceCollection AddOpenApi(this IServiceCollection services)
    {
        services.AddSingleton<ApiDocument>();
        services.AddSingleton<ReferencePage>();
        return services;
    }
}
