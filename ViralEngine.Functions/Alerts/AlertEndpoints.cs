using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Alerts;

/// <summary>Alerts: what the organization's rules found, each with its metric series.</summary>
internal sealed class AlertEndpoints(AlertStore store, TimeProvider time)
{
    [Function("ListAlerts"), Allow(Roles.Readers), Summary("List alerts, newest first.")]
    [Query(typeof(AlertListQuery)), Returns(200, typeof(AlertPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/alerts")]
        HttpRequest request, CancellationToken ct) =>
        Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<AlertListQuery>(request.Query), ct));

    internal async Task<AlertPage> ListAsync(Caller caller, AlertListQuery query, CancellationToken ct)
    {
        var rows = await store.ListAsync(caller.Tenant, query.Status, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return new AlertPage(rows, next);
    }

    [Function("GetAlert"), Allow(Roles.Readers)]
    [Summary("Read an alert: what was observed, what was expected, and why it was raised.")]
    [Returns(200, typeof(Alert))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/alerts/{id}")]
        HttpRequest request, string id, CancellationToken ct) =>
        Ids.TryParse(id, out var alertId) && await store.FindAsync(request.Caller().Tenant, alertId, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("alert");

    [Function("AcknowledgeAlert"), Allow(Roles.Operators), Audited("alert.acknowledged", Target = "id")]
    [Summary("Acknowledge an open alert: say that you are working on it. The first acknowledgement stays.")]
    [Returns(200, typeof(Alert))]
    public async Task<IResult> AcknowledgeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/alerts/{id}/acknowledge")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        return await ChangeAsync(
            caller.Tenant,
            id,
            alertId => store.AcknowledgeAsync(
                caller.Tenant, alertId, caller.Principal, time.GetUtcNow().UtcDateTime, ct),
            ct);
    }

    [Function("ResolveAlert"), Allow(Roles.Operators), Audited("alert.resolved", Target = "id")]
    [Summary("Resolve an open alert, and undo the actions of its rules.")]
    [Returns(200, typeof(Alert))]
    public async Task<IResult> ResolveAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/alerts/{id}/resolve")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        return await ChangeAsync(
            caller.Tenant,
            id,
            alertId => store.ResolveAsync(
                caller.Tenant, alertId, caller.Principal, time.GetUtcNow().UtcDateTime, ct),
            ct);
    }

    [Function("MuteAlert"), Allow(Roles.Operators), Audited("alert.muted", Target = "id")]
    [Summary("Mute an open alert for a time. Only its resolution is announced.")]
    [Body(typeof(MuteAlertRequest)), Returns(200, typeof(Alert))]
    public async Task<IResult> MuteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/alerts/{id}/mute")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        await MuteAsync(request.Caller(), id, await RequestBody.ReadAsync<MuteAlertRequest>(request, ct), ct);

    internal Task<IResult> MuteAsync(Caller caller, string id, MuteAlertRequest asked, CancellationToken ct) =>
        ChangeAsync(
            caller.Tenant,
            id,
            alertId => store.MuteAsync(
                caller.Tenant, alertId, time.GetUtcNow().UtcDateTime.AddMinutes(asked.Minutes), ct),
            ct);

    /// <param name="changeAsync">False if the alert is not open.</param>
    private async Task<IResult> ChangeAsync(
        TenantId tenant, string id, Func<Guid, Task<bool>> changeAsync, CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var alertId) || await store.FindAsync(tenant, alertId, ct) is null)
            return Problem.NotFound("alert");
        return await changeAsync(alertId)
            ? Results.Ok(await store.FindAsync(tenant, alertId, ct))
            : Problem.Conflict("alert-resolved", "The alert is already resolved.");
    }
}

internal sealed record AlertListQuery : PageQuery
{
    public AlertStatus? Status { get; init; }
}

internal sealed record MuteAlertRequest
{
    [Required, Range(1, 10_080)]
    [Description("How long to mute it, from now.")]
    public int Minutes { get; init; }
}

internal sealed record AlertPage(IReadOnlyList<Alert> Alerts, string? NextCursor);
