using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.Guards;
using ViralEngine.Core.Breakers;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Limits;

internal static class BreakerServices
{
    public static IServiceCollection AddBreakers(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<BreakersOptions>(configuration, BreakersOptions.Section);
        services.AddSingleton<BreakerRegister>();
        services.AddSingleton<CircuitBreakers>();
        services.AddSingleton<FlowControl>();
        services.AddScoped(provider => new AgentFlow(
            provider.GetRequiredService<Db>(), provider.GetRequiredService<AgentDirectory>(),
            provider.GetRequiredService<FlowControl>(), provider.GetRequiredService<IOptions<LimitsOptions>>().Value));
        services.AddSingleton<CallGuards>();
        return services;
    }
}
