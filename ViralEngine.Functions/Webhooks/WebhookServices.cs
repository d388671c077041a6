using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Webhooks;

namespace ViralEngine.Functions.Webhooks;

internal static class WebhookServices
{
    public static IServiceCollection AddWebhooks(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<WebhooksOptions>(configuration, WebhooksOptions.Section);
        services.AddSingleton<DeliveryPump>();
        services.AddHostedService<WebhookDelivering>();
        services.AddScoped<WebhookStore>();
        services.AddScoped<DeliveryLog>();
        services.AddScoped<WebhookTest>();
        return services;
    }
}
