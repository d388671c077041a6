using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Organizations;

namespace ViralEngine.Functions.Organizations;

internal static class OrganizationServices
{
    public static IServiceCollection AddOrganizations(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<AuthOptions>(configuration, "Auth");
        services.AddSingleton<IdentityProvider>();
        services.AddSingleton<TokenValidator>();
        services.AddSingleton<PlatformKey>();
        services.AddSingleton<ApiKeyLookup>();
        services.AddScoped<Authenticator>();
        services.AddScoped<CallerCheck>();
        services.AddScoped<OrganizationStore>();
        services.AddScoped<DeleteOrganization>();
        services.AddScoped<MemberStore>();
        services.AddScoped<InvitationStore>();
        services.AddScoped<WaysIn>();
        services.AddScoped<ApiKeyStore>();
        return services;
    }
}
