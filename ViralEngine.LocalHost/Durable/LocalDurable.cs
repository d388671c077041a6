using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ViralEngine.Core.Storage;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Registers the orchestration engine.</summary>
internal static class LocalDurable
{
    /// <summary>Adds the engine that runs what the registered <see cref="IDurableCode"/> holds, and the service that
    /// its clients call.</summary>
    internal static IServiceCollection AddLocalDurable(this IServiceCollection services)
    {
        services.AddOptions<DurableOptions>()
            .Configure<IConfiguration>((options, configuration) =>
            {
                options.ConnectionString = configuration.GetConnectionString("Postgres") ?? "";
                configuration.GetSection(DurableOptions.Section).Bind(options);
            })
            .ValidateDataAnnotations()
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<DatabaseClock>();
        services.AddSingleton<DurableDatabase>();
        services.AddSingleton<WorkerStore>();
        services.AddSingleton<ClaimStore>();
        services.AddSingleton<StepStore>();
        services.AddSingleton<ActivityStore>();
        services.AddSingleton<StartStore>();
        services.AddSingleton<MessageStore>();
        services.AddSingleton<QueryStore>();
        services.AddSingleton<PurgeStore>();
        services.AddSingleton<Wakeups>();
        services.AddSingleton<Completions>();
        services.AddSingleton<MessageWriter>();
        services.AddSingleton<EngineServices>();
        services.AddSingleton<OrchestrationStarter>();
        services.AddSingleton<DurableWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<DurableWorker>());
        services.AddSingleton<DurableService>();
        return services;
    }
}
