using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Webhooks;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Webhooks;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Webhooks;
using WebhookPage = ViralEngine.Console.Webhooks.WebhookPage;

namespace ViralEngine.Functions.Console;

/// <summary>
/// Webhook endpoints with their health and deliveries. A new secret is shown only in the response to its form.
/// </summary>
internal sealed class WebhookPages(
    WebhookEndpoints api, WebhookDeliveryEndpoints deliveries, WebhookStore store, ConsolePages pages)
{
    private const string Section = "webhooks";
    private static readonly Dictionary<string, string[]> NoFaults = [];

    [Function("ConsoleWebhooks"), Allow(Roles.Operators)]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/webhooks")] HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query.Bind<WebhookListQuery>(), ct);
        return await pages.ShowAsync<WebhookListPage>(request, "Webhooks", Section, new()
        {
            [nameof(WebhookListPage.Endpoints)] = page.Webhooks,
            [nameof(WebhookListPage.Query)] = query.Values,
            [nameof(WebhookListPage.Next)] = page.NextCursor,
        }, ct);
    }

    [Function("ConsoleNewWebhook"), Allow(Roles.Admins)]
    public Task<IResult> NewAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/webhooks/new")] HttpRequest request,
        CancellationToken ct) =>
        FormAsync(request, [], NoFaults, 200, ct);

    [Function("ConsoleCreateWebhook"), Allow(Roles.Admins), Audited("webhook.created")]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/webhooks/new")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.CreateAsync(request.Caller(), ConsoleForm.Bind<CreateWebhookRequest>(form), ct));
        if (ConsoleForm.FaultsOf(answer) is { } faults)
            return await FormAsync(request, ConsoleForm.ValuesOf(form), faults, 400, ct);
        if (answer is Problem)
            return answer;
        var added = (WebhookEndpoint)((IValueHttpResult)answer).Value!;
        return new PageAfter(await ShowAsync(request, added, NoFaults, 200, ct, added.Secret), added);
    }

    [Function("ConsoleShowWebhook"), Allow(Roles.Operators)]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/webhooks/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        await FindAsync(request, id, ct) is { } endpoint
            ? await ShowAsync(request, endpoint, NoFaults, 200, ct)
            : Problem.NotFound("webhook");

    [Function("ConsoleTestWebhook"), Allow(Roles.Operators), WaitsForOthers]
    public async Task<IResult> TestAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/webhooks/{id}/test")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        SeeOther.After(
            await api.TestAsync(request, id, ct),
            delivery => $"/console/webhooks/{id}/deliveries/{((WebhookDelivery)delivery!).Id}?notice=webhook-tested");

    [Function("ConsoleEnableWebhook"), Allow(Roles.Admins), Audited("webhook.changed", Target = "id")]
    public Task<IResult> EnableAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/webhooks/{id}/enable")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        SwitchAsync(request, id, true, ct);

    [Function("ConsoleDisableWebhook"), Allow(Roles.Admins), Audited("webhook.changed", Target = "id")]
    public Task<IResult> DisableAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/webhooks/{id}/disable")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        SwitchAsync(request, id, false, ct);

    [Function("ConsoleRotateWebhookSecret"), Allow(Roles.Admins), Audited("webhook.secret_rotated")]
    public async Task<IResult> RotateSecretAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/webhooks/{id}/rotate-secret")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        if (await FindAsync(request, id, ct) is not { } endpoint)
            return Problem.NotFound("webhook");
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.RotateSecretAsync(request.Caller(), id, ConsoleForm.Bind<RotateSecretRequest>(form), ct));
        if (ConsoleForm.FaultsOf(answer) is { } faults)
            return await ShowAsync(request, endpoint, faults, 400, ct);
        if (answer is Problem)
            return answer;
        var rotated = (RotatedSecret)((IValueHttpResult)answer).Value!;
        return new PageAfter(
            await ShowAsync(request, endpoint, NoFaults, 200, ct, rotated.Secret, rotated.OldSecretsEndAt), rotated);
    }

    [Function("ConsoleRecoverWebhook"), Allow(Roles.Operators), Audited("webhook.recovered")]
    public async Task<IResult> RecoverAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/webhooks/{id}/recover")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        if (await FindAsync(request, id, ct) is not { } endpoint)
            return Problem.NotFound("webhook");
        var answer = await ConsoleForm.AnswerOfAsync(
            () => deliveries.RecoverAsync(request.Caller(), id, ConsoleForm.Bind<RecoverQuery>(form), ct));
        return ConsoleForm.FaultsOf(answer) is { } faults
            ? await ShowAsync(request, endpoint, faults, 400, ct, sent: ConsoleForm.ValuesOf(form))
            : SeeOther.After(answer, _ => $"/console/webhooks/{id}?notice=webhook-recovered");
    }

    [Function("ConsoleDeleteWebhook"), Allow(Roles.Admins), Audited("webhook.deleted", KeepsAnswer = false)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/webhooks/{id}/delete")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        SeeOther.After(await api.DeleteAsync(request, id, ct), _ => "/console/webhooks?notice=webhook-deleted");

    private async Task<IResult> SwitchAsync(HttpRequest request, string id, bool on, CancellationToken ct)
    {
        var change = JsonSerializer.SerializeToElement(new JsonObject { ["enabled"] = on });
        return SeeOther.After(
            await api.ChangeAsync(request.Caller(), id, change, ct),
            _ => $"/console/webhooks/{id}?notice={(on ? "webhook-enabled" : "webhook-disabled")}");
    }

    private async Task<WebhookEndpoint?> FindAsync(HttpRequest request, string id, CancellationToken ct) =>
        Ids.TryParse(id, out var endpoint) ? await store.FindAsync(request.Caller().Tenant, endpoint, ct) : null;

    private async Task<IResult> ShowAsync(
        HttpRequest request, WebhookEndpoint endpoint, IReadOnlyDictionary<string, string[]> faults, int status,
        CancellationToken ct,
        string? secret = null, DateTime? oldSecretsEndAt = null, Dictionary<string, string>? sent = null)
    {
        // A form's address has no filters.
        var query = ConsoleQuery.Of(request);
        var asked = HttpMethods.IsPost(request.Method) ? new DeliveryListQuery() : query.Bind<DeliveryListQuery>();
        var page = await deliveries.ListAsync(request.Caller(), endpoint.Id, asked, ct);
        return await pages.ShowAsync<WebhookPage>(request, "Webhook endpoint", Section, new()
        {
            [nameof(WebhookPage.Endpoint)] = endpoint,
            [nameof(WebhookPage.Deliveries)] = page.Deliveries,
            [nameof(WebhookPage.Query)] = HttpMethods.IsPost(request.Method)
                ? new Dictionary<string, string>()
                : query.Values,
            [nameof(WebhookPage.Next)] = page.NextCursor,
            [nameof(WebhookPage.Errors)] = faults,
            [nameof(WebhookPage.Sent)] = sent ?? [],
            [nameof(WebhookPage.Secret)] = secret,
            [nameof(WebhookPage.OldSecretsEndAt)] = oldSecretsEndAt,
        }, ct, status);
    }

    private Task<IResult> FormAsync(
        HttpRequest request, Dictionary<string, string> values, IReadOnlyDictionary<string, string[]> faults,
        int status, CancellationToken ct) =>
        pages.ShowAsync<NewWebhookPage>(request, "Add endpoint", Section, new()
        {
            [nameof(NewWebhookPage.Values)] = values,
            [nameof(NewWebhookPage.Errors)] = faults,
        }, ct, status);
}
