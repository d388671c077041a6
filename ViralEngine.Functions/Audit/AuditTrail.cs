using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Audit;

/// <summary>What an audited endpoint tells about what it does, beyond what the request and the answer say. One per invocation.</summary>
internal sealed class AuditTrail
{
    public string? BeforeJson { get; private set; }

    public Doer? Other { get; private set; }

    /// <summary>Whose log it goes into, where that is neither the caller's nor told by the target.</summary>
    public TenantId? Tenant { get; set; }

    /// <summary>What it was done to, where neither the route nor the answer names that.</summary>
    public string? Target { get; set; }

    /// <summary>How the setting was before it is changed or deleted, as the API shows it.</summary>
    public void Before(object? state) => BeforeJson = Redacted(state);

    /// <summary>
    /// On an endpoint without a caller: whom the signed link was for, in which tenant, and for what. Its route holds the link
    /// itself, which is nobody's to keep.
    /// </summary>
    public void ByLink(TenantId tenant, string actor, Guid target) => Other = new Doer(tenant, actor, target.ToString(), "link", null);

    /// <summary>On an endpoint without a caller: the person whose token was sent, as the member that they are asked to be.</summary>
    public void ByPerson(TenantId tenant, Guid member, string subject) =>
        Other = new Doer(tenant, $"user:{member}", member.ToString(), "token", subject);

    /// <summary>Who did it, where the request has no caller.</summary>
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
