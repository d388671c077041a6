using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Alerts;

internal static class AlertServices
{
    public static IServiceCollection AddAlerts(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<MetricsOptions>(configuration, MetricsOptions.Section);
        services.AddScoped<MetricStore>();
        services.AddScoped(provider => ActivatorUtilities.CreateInstance<MetricRollup>(
            provider, provider.GetRequiredService<DatabaseClock>()));
        services.AddScoped<AlertStore>();
        services.AddScoped<AlertCourse>();
        services.AddScoped<AlertRuleStore>();
        services.AddScoped(provider => ActivatorUtilities.CreateInstance<DetectAnomalies>(
            provider, provider.GetRequiredService<DatabaseClock>()));
        services.AddScoped<PreviewRule>();
        return services;
    }
}
