using System.Security.Cryptography;
using System.Text;
using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Flow;

/// <summary>
/// Calls that share a provider's limits: those of one tenant to one host with one key for one model. Other keys, models and tenants are not
/// affected.
/// </summary>
public sealed record FlowGroup(string Host, string Key)
{
    /// <summary>Null if the agent calls no provider.</summary>
    public static FlowGroup? Of(AgentCall call)
    {
        var (host, model, secrets) = call.Agent.Settings switch
        {
            HttpSettings http => (http.AddressFor(call)?.Authority, "", http.SecretHeaders?.Values ?? []),
            OpenAiSettings openAi => (new Uri(openAi.BaseUrl).Authority, openAi.Model, []),
            _ => (null, "", []),
        };
        if (host is null)
            return null;
        // A fingerprint, because neither keys nor a tenant's model names belong in Redis.
        var account = string.Join('\n', [call.Agent.ApiKey ?? "", .. secrets, model]);
        var print = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(account)).AsSpan(0, 12));
        return new FlowGroup(host, $"{call.TenantId}/{host}/{print}");
    }
}
