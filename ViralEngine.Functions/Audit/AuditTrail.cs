using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Audit;

/// <summary>What an audited endpoint records beyond its request and response. One per invocation.</summary>
internal sealed class AuditTrail
{
    public string? BeforeJson { get; private set; }

    public Doer? Other { get; private set; }

    /// <summary>The tenant whose log the entry goes into, if neither the caller nor the target tells.</summary>
    public TenantId? Tenant { get; set; }

    /// <summary>The target, if neither the route nor the response names it.</summary>
    public string? Target { get; set; }

    /// <summary>Records the setting's state before it is changed or deleted, as the API shows it.</summary>
    public void Before(object? state) => BeforeJson = Redacted(state);

    /// <summary>
    /// For an endpoint without a caller: the tenant, decider and target of the signed link. The route is not recorded,
    /// because it contains the link.
    /// </summary>
    public void ByLink(TenantId tenant, string actor, Guid target) =>
        Other = new Doer(tenant, actor, target.ToString(), "link", null);

    /// <summary>For an endpoint without a caller: the person whose token was sent, as the invited member.</summary>
    public void ByPerson(TenantId tenant, Guid member, string subject) =>
        Other = new Doer(tenant, $"user:{member}", member.ToString(), "token", subject);

    /// <summary>The actor of a request without a caller.</summary>
    internal sealed record Doer(TenantId Tenant, string Actor, string Target, string Credential, string? Subject);

    internal static string? Redacted(object? state)
    {
        if (state is null)
            return null;
        JsonNode? node = JsonSerializer.SerializeToNode(state, state.GetType(), ApiJson.Options);
        AuditRedaction.Redact(node);
        return node?.ToJsonString();
    }
}
