using System.Text.Json;
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
/// Webhook endpoints. Messages follow Standard Webhooks 1.0.0. A secret is shown only once; if it is lost, rotate it,
/// which loses no messages while the old one is still valid.
/// </summary>
internal sealed class WebhookEndpoints(WebhookStore store, WebhookTest test, UrlPolicy urls, AuditTrail audit)
{
    [Function("CreateWebhook"), Allow(Roles.Admins), Audited("webhook.created")]
    [Summary("Create a webhook endpoint. The response is the only place that shows its secret.")]
    [Body(typeof(CreateWebhookRequest)), Returns(201, typeof(WebhookEndpoint))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/webhooks")] HttpRequest request,
        CancellationToken ct) =>
        await CreateAsync(request.Caller(), await RequestBody.ReadAsync<CreateWebhookRequest>(request, ct), ct);

    internal async Task<IResult> CreateAsync(Caller caller, CreateWebhookRequest asked, CancellationToken ct)
    {
        var endpoint = asked.ToEndpoint(urls, caller.Principal);
        var secret = asked.Secret ?? WebhookSecret.Create();
        return await store.AddAsync(caller.Tenant, RowId.New(), endpoint, secret, ct) is { } added
            ? Results.Created($"/api/webhooks/{added.Id}", added with { Secret = secret })
            : Problem.Conflict("too-many-webhooks", "The organization has the maximum number of webhook endpoints.");
    }

    [Function("ListWebhooks"), Allow(Roles.Operators), Summary("List webhook endpoints, newest first.")]
    [Query(typeof(WebhookListQuery)), Returns(200, typeof(WebhookPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/webhooks")] HttpRequest request,
        CancellationToken ct) =>
        Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<WebhookListQuery>(request.Query), ct));

    internal async Task<WebhookPage> ListAsync(Caller caller, WebhookListQuery query, CancellationToken ct)
    {
        var rows = await store.ListAsync(caller.Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return new WebhookPage(rows, next);
    }

    [Function("GetWebhook"), Allow(Roles.Operators), Summary("Read a webhook endpoint, without its secret.")]
    [Returns(200, typeof(WebhookEndpoint))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/webhooks/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var endpointId) && await store.FindAsync(
            request.Caller().Tenant, endpointId, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("webhook");

    [Function("ChangeWebhook"), Allow(Roles.Admins), Audited("webhook.changed")]
    [Summary("Change some fields of a webhook endpoint (JSON merge patch, RFC 7396).")]
    [Body(typeof(ChangeWebhookRequest), ContentType = "application/merge-patch+json")]
    [Returns(200, typeof(WebhookEndpoint))]
    public async Task<IResult> ChangeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "api/webhooks/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        await ChangeAsync(request.Caller(), id, await RequestBody.ReadJsonAsync(request, ct), ct);

    /// <param name="body">A merge patch.</param>
    internal async Task<IResult> ChangeAsync(Caller caller, string id, JsonElement body, CancellationToken ct)
    {
        var change = RequestBinder.Bind<ChangeWebhookRequest>(body).ToChange(body, urls);
        var tenant = caller.Tenant;
        if (!Ids.TryParse(id, out var endpointId))
            return Problem.NotFound("webhook");
        // In the audit log's transaction: the endpoint cannot change between the check and the update.
        if (await store.LockAsync(tenant, endpointId, ct) is not { } before)
            return Problem.NotFound("webhook");
        if (WebhookRules.WouldTakeHeadersElsewhere(before, change))
            return Problem.Validation(
                "headers", "Must be sent again (or set to null), because the endpoint now has another origin.");
        audit.Before(before);
        return await store.ChangeAsync(tenant, endpointId, change, ct) is { } changed
            ? Results.Ok(changed)
            : Problem.NotFound("webhook");
    }

    [Function("DeleteWebhook"), Allow(Roles.Admins), Audited("webhook.deleted")]
    [Summary("Delete a webhook endpoint with its log. Pending messages are not sent.")]
    [Returns(204)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "api/webhooks/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var endpointId))
            return Problem.NotFound("webhook");
        audit.Before(await store.FindAsync(tenant, endpointId, ct));
        return await store.DeleteAsync(tenant, endpointId, ct) ? Results.NoContent() : Problem.NotFound("webhook");
    }

    [Function("TestWebhook"), Allow(Roles.Operators), WaitsForOthers]
    [Summary("Send a webhook.test message once and return the result.")]
    [Returns(
        200, typeof(WebhookDelivery),
        Description = "The message was sent; status and last_attempt say whether it arrived.")]
    public async Task<IResult> TestAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/webhooks/{id}/test")] HttpRequest request,
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
    [Summary("Rotate the signing secret. For a time, messages are signed with the old secret, too.")]
    [Body(typeof(RotateSecretRequest)), Returns(200, typeof(RotatedSecret))]
    public async Task<IResult> RotateSecretAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/webhooks/{id}/rotate-secret")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        await RotateSecretAsync(
            request.Caller(), id, await RequestBody.ReadOptionalAsync<RotateSecretRequest>(request, ct), ct);

    internal async Task<IResult> RotateSecretAsync(
        Caller caller, string id, RotateSecretRequest asked, CancellationToken ct)
    {
        var secret = asked.Secret ?? WebhookSecret.Create();
        return Ids.TryParse(id, out var endpointId)
            && await store.RotateSecretAsync(
                caller.Tenant, endpointId, secret, TimeSpan.FromHours(asked.OverlapHours), ct) is { } ends
                ? Results.Ok(new RotatedSecret(secret, ends))
                : Problem.NotFound("webhook");
    }
}
