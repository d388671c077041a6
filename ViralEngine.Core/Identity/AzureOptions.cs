using Azure.Core;
using Azure.Identity;

namespace ViralEngine.Core.Identity;

/// <summary>
/// Section <c>Azure</c>: whether the app signs in to PostgreSQL and Redis as a managed identity instead of with
/// passwords.
/// </summary>
public sealed class AzureOptions
{
    /// <summary>
    /// True on Azure: connection strings then have no password, and the identity's tokens replace it.
    /// </summary>
    public bool UseManagedIdentity { get; set; }

    /// <summary>
    /// Client id of a user-assigned identity (<c>AZURE_CLIENT_ID</c>). Without it, the default credential: the
    /// environment, the system-assigned identity, or a developer's own login.
    /// </summary>
    public string? ClientId { get; set; }

    /// <summary>The credential; null if passwords are used.</summary>
    public TokenCredential? Credential() => (UseManagedIdentity, ClientId) switch
    {
        (false, _) => null,
        (true, null or "") => new DefaultAzureCredential(),
        (true, { } id) => new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(id)),
    };
}
