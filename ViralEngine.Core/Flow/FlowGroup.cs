using System.Security.Cryptography;
using System.Text;
using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Flow;

/// <summary>
/// Calls that share a provider's limits: those of one tenant to one host with one key for one model. Other keys, models
/// and tenants are not affected.
/// </summary>
public sealed record FlowGroup(string Host, string Key)
{
    /// <summary>Null if the agent calls no provider.</summary>
    public static FlowGroup? Of(AgentCall call)
    {
        if (call.Host is not { } host)
            return null;
        var (secrets, model) = (
            call.Agent.Settings.SecretHeaders?.Values ?? [], call.Agent.Settings.RequestedModel ?? "");
        // A fingerprint, because neither keys nor a tenant's model names belong in Redis.
        var account = string.Join('\n', [call.Agent.ApiKey ?? "", .. secrets, model]);
        var print = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(account)).AsSpan(0, 12));
        return new FlowGroup(host, $"{call.TenantId}/{host}/{print}");
    }
}
