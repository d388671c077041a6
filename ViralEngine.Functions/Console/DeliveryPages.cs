using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Webhooks;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Webhooks;
using DeliveryPage = ViralEngine.Console.Webhooks.DeliveryPage;

namespace ViralEngine.Functions.Console;

/// <summary>A delivery: its request, its attempts, and redelivery.</summary>
internal sealed class DeliveryPages(WebhookDeliveryEndpoints api, DeliveryLog log, ConsolePages pages)
{
    [Function("ConsoleWebhookDelivery"), Allow(Roles.Operators)]
    public async Task<IResult> GetAsync(
        [HttpTrigger(
            AuthorizationLevel.Anonymous, "get", "head", Route = "console/webhooks/{id}/deliveries/{deliveryId}")]
        HttpRequest request, string id, string deliveryId, CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var endpoint) || !Ids.TryParse(deliveryId, out var delivery)
            || await log.FindAsync(request.Caller().Tenant, endpoint, delivery, ct) is not { } found)
        {
            return Problem.NotFound("delivery");
        }

        return await pages.ShowAsync<DeliveryPage>(request, "Delivery", "webhooks", new()
        {
            [nameof(DeliveryPage.EndpointId)] = endpoint,
            [nameof(DeliveryPage.Details)] = found,
        }, ct);
    }

    [Function("ConsoleRedeliverWebhook"), Allow(Roles.Operators)]
    [Audited("webhook.redelivered", Target = "id", KeepsAnswer = false)]
    public async Task<IResult> RedeliverAsync(
        [HttpTrigger(
            AuthorizationLevel.Anonymous, "post", Route = "console/webhooks/{id}/deliveries/{deliveryId}/redeliver")]
        HttpRequest request, string id, string deliveryId, CancellationToken ct) =>
        SeeOther.After(
            await api.RedeliverAsync(request, id, deliveryId, ct),
            _ => $"/console/webhooks/{id}/deliveries/{deliveryId}?notice=webhook-redelivered");
}
