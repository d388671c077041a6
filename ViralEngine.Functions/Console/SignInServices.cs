using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.SignIn;

namespace ViralEngine.Functions.Console;

internal static class SignInServices
{
    public static IServiceCollection AddSignIn(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<SignInOptions>(configuration, SignInOptions.Section).Validate<IOptions<AuthOptions>>(
            (options, auth) => options.ClientId is null || auth.Value.Authority is not null,
            "SignIn:ClientId requires Auth:Authority, the provider where people sign in.");
        services.AddSingleton<TokenEndpoint>();
        services.AddSingleton<ProviderSignIn>();
        services.AddScoped<SessionRefresh>();
        return services;
    }
}
