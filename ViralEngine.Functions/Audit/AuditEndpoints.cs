using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Audit;

/// <summary>Who did what to what in the organization.</summary>
internal sealed class AuditEndpoints(AuditStore store)
{
    [Function("ListAuditLog"), Allow(Roles.Admins), Summary("List what was done in the organization, newest first.")]
    [Query(typeof(AuditListQuery)), Returns(200, typeof(AuditPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "audit-log")] HttpRequest request, CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<AuditListQuery>(request.Query);
        var filter = new AuditFilter(query.Actor, query.Action, query.TargetKind, query.TargetId, query.From, query.To);
        var rows = await store.ListAsync(request.Caller().Tenant, filter, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return Results.Ok(new AuditPage(rows, next));
    }
}

internal sealed record AuditListQuery : PageQuery
{
    [StringLength(200), Description("Who: api_key:…, user:… or platform.")]
    public string? Actor { get; init; }

    [StringLength(100), Description("What: webhook.created, or a kind as in webhook.*")]
    public string? Action { get; init; }

    [StringLength(100), Description("To what kind of thing: webhook.")]
    public string? TargetKind { get; init; }

    [StringLength(100), Description("To which one: its id.")]
    public string? TargetId { get; init; }

    [Description("From this time on.")]
    public DateTime? From { get; init; }

    [Description("Before this time.")]
    public DateTime? To { get; init; }
}

internal sealed record AuditPage(IReadOnlyList<AuditEntry> Entries, string? NextCursor);
