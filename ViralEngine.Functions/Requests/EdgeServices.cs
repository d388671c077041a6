using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ViralEngine.Functions.Requests;

internal static class EdgeServices
{
    public static IServiceCollection AddEdge(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<EdgeOptions>(configuration, EdgeOptions.Section);
        services.AddSingleton<IStartupFilter, StarvedRequests>();
        services.AddSingleton<PublicAddress>();
        services.AddSingleton<ClientAddress>();
        services.AddSingleton<BytesInFlight>();
        services.AddSingleton<BodyReceiver>();
        services.AddSingleton<TenantShares>();
        return services;
    }
}
