using Microsoft.Extensions.DependencyInjection;

namespace ViralEngine.LocalRuntime.Timers;

/// <summary>Registers what runs timers.</summary>
internal static class LocalTimers
{
    public static IServiceCollection AddLocalTimers(this IServiceCollection services)
    {
        services.AddSingleton<TimerStore>();
        services.AddSingleton<TimerHost>();
        services.AddSingleton<TimerAdmin>();
        services.AddHostedService(provider => provider.GetRequiredService<TimerHost>());
        return services;
    }
}
