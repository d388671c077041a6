using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace ViralEngine.Core.Organizations;

/// <summary>
/// The OpenID Connect provider of <c>Auth:Authority</c>: its discovery document and keys, refreshed from time to time.
/// </summary>
public sealed class IdentityProvider
{
    private static readonly TimeSpan KeysWithdrawnWithin = TimeSpan.FromMinutes(15);

    public IdentityProvider(IOptions<AuthOptions> options)
    {
        if (options.Value.Authority is not { } authority)
            return;
        Host = new Uri(authority).Host;
        Document = new ConfigurationManager<OpenIdConnectConfiguration>(
            authority.TrimEnd('/') + "/.well-known/openid-configuration",
            new OpenIdConnectConfigurationRetriever(),
            new HttpDocumentRetriever { RequireHttps = !new Uri(authority).IsLoopback })
        {
            RefreshInterval = TimeSpan.FromSeconds(options.Value.KeyRefreshSeconds),
            AutomaticRefreshInterval = KeysWithdrawnWithin,
            // Otherwise withdrawn keys would be accepted for another hour.
            UseLastKnownGoodConfiguration = false,
        };
    }

    /// <summary>Null if no provider is configured.</summary>
    public ConfigurationManager<OpenIdConnectConfiguration>? Document { get; }

    public string? Host { get; }
}
