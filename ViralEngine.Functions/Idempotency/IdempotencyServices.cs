using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Idempotency;

namespace ViralEngine.Functions.Idempotency;

internal static class IdempotencyServices
{
    public static IServiceCollection AddIdempotency(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<IdempotencyOptions>(configuration, IdempotencyOptions.Section);
        services.AddSingleton<IdempotencyLeases>();
        services.AddScoped<IdempotencyStore>();
        return services;
    }
}
