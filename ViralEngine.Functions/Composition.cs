using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Events;
using ViralEngine.Core.Identity;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Streams;
using ViralEngine.Functions.Tasks;

namespace ViralEngine.Functions;

/// <summary>What the app is made of, feature by feature.</summary>
internal static class Composition
{
    public static IServiceCollection AddStorage(this IServiceCollection services, IConfiguration configuration)
    {
        var connectionString = configuration.GetConnectionString("Postgres");
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            throw new InvalidOperationException(
                "ConnectionStrings:Postgres is not set. Set the environment variable ConnectionStrings__Postgres, or start with ./dev run.");
        }

        var azure = configuration.GetSection("Azure").Get<AzureOptions>() ?? new AzureOptions();
        azure.ClientId ??= configuration["AZURE_CLIENT_ID"];
        var credential = azure.Credential();
        services.AddSingleton(_ => PostgresDataSource.Create(connectionString, credential));
        services.AddSingleton(new RedisSettings(configuration.GetConnectionString("Redis"), credential));
        services.AddSingleton<RedisConnection>();
        services.AddScoped<Db>();
        services.AddSingleton<Signals>();
        services.AddScoped<EventFollower>();
        services.AddScoped<EventStore>();
        return services;
    }

    public static IServiceCollection AddOrganizations(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<AuthOptions>().Bind(configuration.GetSection("Auth")).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<TokenValidator>();
        services.AddScoped<Authenticator>();
        services.AddScoped<OrganizationStore>();
        services.AddScoped<MemberStore>();
        services.AddScoped<ApiKeyStore>();
        return services;
    }

    public static IServiceCollection AddAgents(this IServiceCollection services)
    {
        services.AddScoped<AgentDirectory>();
        services.AddScoped<AgentRunner>();
        return services;
    }

    public static IServiceCollection AddTasks(this IServiceCollection services)
    {
        services.AddSingleton(TaskLeaseOptions.Default);
        services.AddSingleton<LeaseKeeper>();
        services.AddSingleton<TokenLog>();
        services.AddSingleton<TaskStarts>();
        services.AddScoped<TaskStore>();
        services.AddScoped<TaskLeaseStore>();
        services.AddScoped<TaskTokenReader>();
        services.AddScoped<TaskSweeper>();
        services.AddScoped<TaskRunner>();
        return services;
    }
}
