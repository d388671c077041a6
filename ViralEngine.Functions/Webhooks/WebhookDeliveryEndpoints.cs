using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Webhooks;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Webhooks;

/// <summary>Deliveries: the messages sent to an endpoint, its responses, and redelivery.</summary>
internal sealed class WebhookDeliveryEndpoints(Db db, WebhookStore store, DeliveryLog log, DeliveryPump pump)
{
    [Function("ListWebhookDeliveries"), Allow(Roles.Operators)]
    [Summary("List an endpoint's deliveries with their last attempt, newest first.")]
    [Query(typeof(DeliveryListQuery)), Returns(200, typeof(DeliveryPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/webhooks/{id}/deliveries")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        var query = RequestBinder.BindQuery<DeliveryListQuery>(request.Query);
        if (!Ids.TryParse(id, out var endpointId) || await store.FindAsync(tenant, endpointId, ct) is null)
            return Problem.NotFound("webhook");
        return Results.Ok(await ListAsync(request.Caller(), endpointId, query, ct));
    }

    internal async Task<DeliveryPage> ListAsync(
        Caller caller, Guid endpoint, DeliveryListQuery query, CancellationToken ct)
    {
        var filter = new WebhookDeliveryFilter(query.Status, query.EventType, query.CreatedAfter, query.CreatedBefore);
        var rows = await log.ListAsync(caller.Tenant, endpoint, filter, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return new DeliveryPage(rows, next);
    }

    [Function("GetWebhookDelivery"), Allow(Roles.Operators), Summary("Read a delivery with all its attempts.")]
    [Returns(200, typeof(WebhookDeliveryDetails))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/webhooks/{id}/deliveries/{deliveryId}")]
        HttpRequest request,
        string id,
        string deliveryId,
        CancellationToken ct) =>
        Ids.TryParse(id, out var endpoint) && Ids.TryParse(deliveryId, out var delivery)
        && await log.FindAsync(request.Caller().Tenant, endpoint, delivery, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("delivery");

    [Function("RedeliverWebhook"), Allow(Roles.Operators)]
    [Audited("webhook.redelivered", Target = "id", KeepsAnswer = false)]
    [Summary("Redeliver a message with the same webhook-id and a full set of retries.")]
    [Returns(202, typeof(WebhookDelivery))]
    public async Task<IResult> RedeliverAsync(
        [HttpTrigger(
            AuthorizationLevel.Anonymous, "post", Route = "api/webhooks/{id}/deliveries/{deliveryId}/redeliver")]
        HttpRequest request,
        string id,
        string deliveryId,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var endpoint) || !Ids.TryParse(deliveryId, out var delivery)
            || await store.FindAsync(tenant, endpoint, ct) is not { } found)
        {
            return Problem.NotFound("delivery");
        }

        if (!found.Enabled)
            return Disabled();
        if (!await log.RedeliverAsync(tenant, endpoint, delivery, ct))
            return Problem.NotFound("delivery");
        await WakeAsync(ct);
        return Results.Accepted(
            $"/api/webhooks/{endpoint}/deliveries/{delivery}",
            (await log.FindAsync(tenant, endpoint, delivery, ct))?.Delivery);
    }

    [Function("RecoverWebhook"), Allow(Roles.Operators), Audited("webhook.recovered")]
    [Summary("Redeliver everything that failed since a time, or between two.")]
    [Query(typeof(RecoverQuery)), Returns(202, typeof(Recovered))]
    public async Task<IResult> RecoverAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/webhooks/{id}/recover")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        await RecoverAsync(request.Caller(), id, RequestBinder.BindQuery<RecoverQuery>(request.Query), ct);

    internal async Task<IResult> RecoverAsync(Caller caller, string id, RecoverQuery query, CancellationToken ct)
    {
        var (tenant, since) = (caller.Tenant, query.Since);
        if (since is null)
            return Problem.Validation("since", "Is required.");
        if (query.Until <= since)
            return Problem.Validation("until", "Must be after since.");
        if (!Ids.TryParse(id, out var endpoint) || await store.FindAsync(tenant, endpoint, ct) is not { } found)
            return Problem.NotFound("webhook");
        if (!found.Enabled)
            return Disabled();
        var queued = await log.RecoverAsync(tenant, endpoint, since.Value, query.Until, ct);
        await WakeAsync(ct);
        return Results.Accepted($"/api/webhooks/{endpoint}/deliveries", new Recovered(queued));
    }

    private static Problem Disabled() =>
        Problem.Conflict("webhook-disabled", "The endpoint is disabled. Enable it first.");

    private Task WakeAsync(CancellationToken ct) => db.AfterCommitAsync(
        _ =>
        {
            pump.Wake();
            return Task.CompletedTask;
        },
        ct);
}
