using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Secrets;

namespace ViralEngine.Functions.Agents;

internal static class AgentServices
{
    public static IServiceCollection AddAgents(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<OutgoingOptions>(configuration, OutgoingOptions.Section);
        services.AddChecked<SecretsOptions>(configuration, SecretsOptions.Section);
        services.AddChecked<AgentsOptions>(configuration, AgentsOptions.Section);
        services.AddSingleton<OutgoingHttp>();
        services.AddSingleton(provider => provider.GetRequiredService<OutgoingHttp>().Urls);
        services.AddSingleton<SecretBox>();
        services.AddSingleton<SettingsRules>();
        services.AddSingleton<PriceTable>();
        services.AddSingleton<AnswerMemory>();
        services.AddSingleton<AgentProviders>();
        services.AddScoped<AgentStore>();
        services.AddScoped<AgentDirectory>();
        services.AddScoped<AgentRunner>();
        services.AddScoped<SaveAgent>();
        services.AddScoped<TestAgent>();
        services.AddScoped<AgentSecretRotation>();
        return services;
    }
}
