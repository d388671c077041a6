using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Events;
using ViralEngine.Core.Identity;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.OpenApi;
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

    public static IServiceCollection AddAgents(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<OutgoingOptions>().Bind(configuration.GetSection(OutgoingOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<SecretsOptions>().Bind(configuration.GetSection(SecretsOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<AgentsOptions>().Bind(configuration.GetSection(AgentsOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<OutgoingHttp>();
        services.AddSingleton(provider => provider.GetRequiredService<OutgoingHttp>().Urls);
        services.AddSingleton<SecretBox>();
        services.AddSingleton<SettingsRules>();
        services.AddSingleton<PriceTable>();
        services.AddSingleton<AgentProviders>();
        services.AddScoped<AgentStore>();
        services.AddScoped<AgentDirectory>();
        services.AddScoped<AgentRunner>();
        services.AddScoped<SaveAgent>();
        services.AddScoped<TestAgent>();
        services.AddScoped<AgentSecretRotation>();
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

    public static IServiceCollection AddOpenApi(this IServiceCollection services)
    {
        services.AddSingleton<ApiDocument>();
        services.AddSingleton<ReferencePage>();
        return services;
    }
}
