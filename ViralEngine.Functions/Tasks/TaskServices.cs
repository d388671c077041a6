using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Functions.Tasks;

internal static class TaskServices
{
    public static IServiceCollection AddTasks(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<LanesOptions>(configuration, LanesOptions.Section);
        services.AddSingleton<CallSlots>();
        services.AddSingleton<LaneSignals>();
        services.AddSingleton<Awake>();
        services.AddSingleton(TaskLeaseOptions.Default);
        services.AddSingleton<LeaseKeeper>();
        services.AddSingleton<TaskGroups>();
        services.AddSingleton<TokenLog>();
        services.AddSingleton<TaskLanes>();
        services.AddSingleton<TaskClaimStore>();
        services.AddSingleton<TaskLeaseStore>();
        services.AddScoped<TaskStore>();
        services.AddScoped<TaskTokenReader>();
        services.AddScoped<StreamPartStore>();
        services.AddScoped<TaskSweeper>();
        services.AddScoped<TaskRunner>();
        services.AddScoped<LapsedLook>();
        services.AddScoped<TaskLaneRunner>();
        return services;
    }
}
