using Azure.Core;
using Microsoft.Extensions.Configuration;
using ViralEngine.Core.Identity;

namespace ViralEngine.Functions;

/// <summary>The app's identity towards Azure: PostgreSQL, Redis and Application Insights.</summary>
internal static class AzureSignIn
{
    /// <summary>
    /// The credential from section <c>Azure</c> and <c>AZURE_CLIENT_ID</c>; null if the app signs in with passwords.
    /// </summary>
    public static TokenCredential? AzureCredential(this IConfiguration configuration)
    {
        var options = configuration.GetSection("Azure").Get<AzureOptions>() ?? new AzureOptions();
        options.ClientId ??= configuration["AZURE_CLIENT_ID"];
        return options.Credential();
    }
}
