using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Retention;

namespace ViralEngine.Functions.Retention;

internal static class RetentionServices
{
    public static IServiceCollection AddRetention(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<RetentionOptions>(configuration, RetentionOptions.Section);
        services.AddScoped<TaskRetention>();
        services.AddScoped<BatchRetention>();
        services.AddScoped<OrganizationRetention>();
        return services;
    }
}
