using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Functions.Limits;

internal static class LimitServices
{
    public static IServiceCollection AddLimits(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<LimitsOptions>(configuration, LimitsOptions.Section);
        services.AddSingleton<RateLimiter>();
        services.AddSingleton<Budgets>();
        services.AddSingleton(
            provider => new TaskAdmission(provider.GetRequiredService<IOptions<LimitsOptions>>().Value));
        services.AddScoped<BudgetStore>();
        services.AddScoped<UsageStore>();
        return services;
    }
}
