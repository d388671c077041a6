using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Audit;

/// <summary>The audit log: who did what in the organization.</summary>
internal sealed class AuditEndpoints(AuditStore store)
{
    [Function("ListAuditLog"), Allow(Roles.Admins), Summary("List the audit log of the organization, newest first.")]
    [Query(typeof(AuditListQuery)), Returns(200, typeof(AuditPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/audit-log")] HttpRequest request,
        CancellationToken ct) =>
        Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<AuditListQuery>(request.Query), ct));

    internal async Task<AuditPage> ListAsync(Caller caller, AuditListQuery query, CancellationToken ct)
    {
        var filter = new AuditFilter(query.Actor, query.Action, query.TargetKind, query.TargetId, query.From, query.To);
        var rows = await store.ListAsync(caller.Tenant, filter, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return new AuditPage(rows, next);
    }
}

internal sealed record AuditListQuery : PageQuery
{
    [StringLength(200), Description("Only by this actor: api_key:…, user:… or platform.")]
    public string? Actor { get; init; }

    [StringLength(100), Description("Only this action: webhook.created, or a group such as webhook.*")]
    public string? Action { get; init; }

    [StringLength(100), Description("Only this kind of target, such as webhook.")]
    public string? TargetKind { get; init; }

    [StringLength(100), Description("Only the target with this id.")]
    public string? TargetId { get; init; }

    [Description("From this time on.")]
    public DateTime? From { get; init; }

    [Description("Before this time.")]
    public DateTime? To { get; init; }
}

internal sealed record AuditPage(IReadOnlyList<AuditEntry> Entries, string? NextCursor);
