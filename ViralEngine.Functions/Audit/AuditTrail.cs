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

    public (TenantId Tenant, string Actor, string Target)? Link { get; private set; }

    /// <summary>How the setting was before it is changed or deleted, as the API shows it.</summary>
    public void Before(object? state) => BeforeJson = Redacted(state);

    /// <summary>
    /// On an endpoint without a caller: whom the signed link was for, in which tenant, and for what. Its route holds the link
    /// itself, which is nobody's to keep.
    /// </summary>
    public void ByLink(TenantId tenant, string actor, Guid target) => Link = (tenant, actor, target.ToString());

    internal static string? Redacted(object? state)
    {
        if (state is null)
            return null;
        JsonNode? node = JsonSerializer.SerializeToNode(state, state.GetType(), ApiJson.Options);
        AuditRedaction.Redact(node);
        return node?.ToJsonString();
    }
}
