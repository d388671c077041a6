using System.Security.Cryptography;
using System.Text;
using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Flow;

/// <summary>
/// What shares a provider's limits: one tenant's calls to one host with one key for one model. Another key, another model or another
/// tenant is not held back by what happens here.
/// </summary>
public sealed record FlowLane(string Host, string Key)
{
    /// <summary>Null: the agent calls nobody.</summary>
    public static FlowLane? Of(AgentCall call)
    {
        var (host, model, secrets) = call.Agent.Settings switch
        {
            HttpSettings http => (http.AddressFor(call)?.Authority, "", http.SecretHeaders?.Values ?? []),
            OpenAiSettings openAi => (new Uri(openAi.BaseUrl).Authority, openAi.Model, []),
            _ => (null, "", []),
        };
        if (host is null)
            return null;
        // A fingerprint: neither keys nor what a tenant calls its models belong into Redis.
        var account = string.Join('\n', [call.Agent.ApiKey ?? "", .. secrets, model]);
        var print = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(account)).AsSpan(0, 12));
        return new FlowLane(host, $"{call.TenantId}/{host}/{print}");
    }
}
