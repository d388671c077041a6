using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Audit;

namespace ViralEngine.Functions.Audit;

internal static class AuditServices
{
    public static IServiceCollection AddAudit(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<AuditOptions>(configuration, AuditOptions.Section);
        services.AddScoped<AuditStore>();
        services.AddScoped<AuditTrail>();
        return services;
    }
}
