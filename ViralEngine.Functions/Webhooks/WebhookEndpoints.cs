using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Webhooks;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Webhooks;

/// <summary>
/// Webhook endpoints. Messages are Standard Webhooks 1.0.0. A secret is shown once, when it is made; one that was lost is
/// rotated, which costs no message while the old one still holds.
/// </summary>
internal sealed class WebhookEndpoints(WebhookStore store, WebhookTest test, UrlPolicy urls, AuditTrail audit)
{
    [Function("CreateWebhook"), Allow(Roles.Admins), Audited("webhook.created")]
    [Summary("Create a webhook endpoint. Its secret is in this answer and nowhere else.")]
    [Body(typeof(CreateWebhookRequest)), Returns(201, typeof(WebhookEndpoint))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "webhooks")] HttpRequest request, CancellationToken ct)
    {
        var caller = request.Caller();
        var asked = await RequestBody.ReadAsync<CreateWebhookRequest>(request, ct);
        var endpoint = asked.ToEndpoint(urls, caller.Principal);
        var secret = asked.Secret ?? WebhookSecret.Create();
        return await store.AddAsync(caller.Tenant, RowId.New(), endpoint, secret, ct) is { } added
            ? Results.Created($"/api/webhooks/{added.Id}", added with { Secret = secret })
            : Problem.Conflict("too-many-webhooks", "The organization has as many webhook endpoints as it may have.");
    }

    [Function("ListWebhooks"), Allow(Roles.Operators), Summary("List webhook endpoints, newest first.")]
    [Query(typeof(WebhookListQuery)), Returns(200, typeof(WebhookPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "webhooks")] HttpRequest request, CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<WebhookListQuery>(request.Query);
        var rows = await store.ListAsync(request.Caller().Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return Results.Ok(new WebhookPage(rows, next));
    }

    [Function("GetWebhook"), Allow(Roles.Operators), Summary("Read a webhook endpoint, without its secret.")]
    [Returns(200, typeof(WebhookEndpoint))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "webhooks/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var endpointId) && await store.FindAsync(request.Caller().Tenant, endpointId, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("webhook");

    [Function("ChangeWebhook"), Allow(Roles.Admins), Audited("webhook.changed")]
    [Summary("Change some of a webhook endpoint's fields: JSON merge patch (RFC 7396).")]
    [Body(typeof(ChangeWebhookRequest), ContentType = "application/merge-patch+json"), Returns(200, typeof(WebhookEndpoint))]
    public async Task<IResult> ChangeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "webhooks/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var body = await RequestBody.ReadJsonAsync(request, ct);
        var change = RequestBinder.Bind<ChangeWebhookRequest>(body).ToChange(body, urls);
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var endpointId))
            return Problem.NotFound("webhook");
        audit.Before(await store.FindAsync(tenant, endpointId, ct));
        return await store.ChangeAsync(tenant, endpointId, change, ct) is { } changed
            ? Results.Ok(changed)
            : Problem.NotFound("webhook");
    }

    [Function("DeleteWebhook"), Allow(Roles.Admins), Audited("webhook.deleted")]
    [Summary("Delete a webhook endpoint with its log; what waits for it is not sent.")]
    [Returns(204)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "webhooks/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var endpointId))
            return Problem.NotFound("webhook");
        audit.Before(await store.FindAsync(tenant, endpointId, ct));
        return await store.DeleteAsync(tenant, endpointId, ct) ? Results.NoContent() : Problem.NotFound("webhook");
    }

    [Function("TestWebhook"), Allow(Roles.Operators), Summary("Send a webhook.test message, once, and tell what came of it.")]
    [Returns(200, typeof(WebhookDelivery), Description = "It was sent; status and last_attempt tell whether it arrived.")]
    public async Task<IResult> TestAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "webhooks/{id}/test")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        return Ids.TryParse(id, out var endpointId)
            && await test.RunAsync(caller.Tenant, endpointId, caller.Principal, ct) is { } delivery
                ? Results.Ok(delivery)
                : Problem.NotFound("webhook");
    }

    [Function("RotateWebhookSecret"), Allow(Roles.Admins), Audited("webhook.secret_rotated")]
    [Summary("Sign with a new secret, and for a while with the old one too.")]
    [Body(typeof(RotateSecretRequest)), Returns(200, typeof(RotatedSecret))]
    public async Task<IResult> RotateSecretAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "webhooks/{id}/rotate-secret")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var asked = await RequestBody.ReadOptionalAsync<RotateSecretRequest>(request, ct);
        var secret = asked.Secret ?? WebhookSecret.Create();
        return Ids.TryParse(id, out var endpointId)
            && await store.RotateSecretAsync(
                request.Caller().Tenant, endpointId, secret, TimeSpan.FromHours(asked.OverlapHours), ct) is { } ends
                ? Results.Ok(new RotatedSecret(secret, ends))
                : Problem.NotFound("webhook");
    }
}
