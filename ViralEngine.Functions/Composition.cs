using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Events;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Alerts;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Console;
using ViralEngine.Functions.Health;
using ViralEngine.Functions.Idempotency;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.OpenApi;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Retention;
using ViralEngine.Functions.Streams;
using ViralEngine.Functions.Tasks;
using ViralEngine.Functions.Telemetry;
using ViralEngine.Functions.Webhooks;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions;

/// <summary>The app's services.</summary>
internal static class Composition
{
    /// <summary>Each feature registers its own services.</summary>
    public static IServiceCollection AddViralEngine(this IServiceCollection services, IConfiguration configuration) =>
        services
        .AddTelemetry(configuration)
        .AddEdge(configuration)
        .AddStorage(configuration)
        .AddOrganizations(configuration)
        .AddAgents(configuration)
        .AddTasks(configuration)
        .AddIdempotency(configuration)
        .AddAudit(configuration)
        .AddBatches(configuration)
        .AddRetention(configuration)
        .AddWorkflows(configuration)
        .AddWebhooks(configuration)
        .AddLimits(configuration)
        .AddBreakers(configuration)
        .AddAlerts(configuration)
        .AddOpenApi()
        .AddSignIn(configuration)
        .AddConsole();

    /// <summary>Settings that are checked when the app starts, by the attributes of their type.</summary>
    public static OptionsBuilder<T> AddChecked<T>(
        this IServiceCollection services, IConfiguration configuration, string section)
        where T : class =>
        services.AddOptions<T>().Bind(configuration.GetSection(section)).ValidateDataAnnotations().ValidateOnStart();

    private static IServiceCollection AddStorage(this IServiceCollection services, IConfiguration configuration)
    {
        var connectionString = configuration.GetConnectionString("Postgres");
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            throw new InvalidOperationException(
                "ConnectionStrings:Postgres is not set. "
                + "Set the environment variable ConnectionStrings__Postgres, or start with ./dev run.");
        }

        var credential = configuration.AzureCredential();
        services.AddSingleton(_ => PostgresDataSource.Create(connectionString, credential));
        services.AddSingleton(provider => Outage.Of(provider.GetRequiredService<NpgsqlDataSource>()));
        services.AddSingleton(_ => new HealthConnection(connectionString, credential));
        services.AddSingleton(new PoolSize(new NpgsqlConnectionStringBuilder(connectionString).MaxPoolSize));
        services.AddSingleton(new RedisSettings(configuration.GetConnectionString("Redis"), credential));
        services.AddSingleton<RedisConnection>();
        services.AddScoped<Db>();
        services.AddSingleton<DatabaseClock>();
        services.AddSingleton<ChangePoller>();
        services.AddSingleton<Signals>();
        services.AddScoped<EventFollower>();
        services.AddScoped<EventStore>();
        return services;
    }
}
