using Microsoft.Extensions.DependencyInjection;

namespace ViralEngine.LocalHost.Timers;

/// <summary>Registers the timers.</summary>
internal static class LocalTimers
{
    public static IServiceCollection AddLocalTimers(this IServiceCollection services)
    {
        services.AddSingleton<TimerStore>();
        services.AddSingleton<TimerHost>();
        services.AddHostedService(provider => provider.GetRequiredService<TimerHost>());
        return services;
    }
}
