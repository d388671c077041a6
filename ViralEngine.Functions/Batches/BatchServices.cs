using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Batches;

namespace ViralEngine.Functions.Batches;

internal static class BatchServices
{
    public static IServiceCollection AddBatches(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<BatchOptions>(configuration, BatchOptions.Section);
        services.AddSingleton<BatchLaneKeeper>();
        services.AddSingleton<TenantTurns>();
        services.AddSingleton<BatchStarts>();
        services.AddScoped<BatchIntake>();
        services.AddScoped<BatchStore>();
        services.AddScoped<BatchResultReader>();
        services.AddScoped<BatchFailureReader>();
        services.AddScoped<BatchCourse>();
        services.AddScoped<BatchLaneStore>();
        services.AddScoped<SliceRunner>();
        services.AddScoped<BatchLaneRunner>();
        services.AddScoped<BatchSweeper>();
        return services;
    }
}
