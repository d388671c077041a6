using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Organization;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>API keys. A new key's secret is shown only in the response to its form.</summary>
internal sealed class ApiKeyPages(ApiKeyEndpoints api, ConsolePages pages)
{
    private const string Address = "/console/api-keys";

    [Function("ConsoleApiKeys"), Allow(Roles.Admins)]
    public Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/api-keys")] HttpRequest request,
        CancellationToken ct) =>
        ShowAsync(request, [], null, null, 200, ct);

    [Function("ConsoleCreateApiKey"), Allow(Roles.Admins), Audited("api_key.created")]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/api-keys")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var caller = request.Caller();
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.CreateAsync(
                caller, caller.Tenant.Value.ToString(), ConsoleForm.Bind<CreateApiKeyRequest>(form), ct));
        if (ConsoleForm.FaultsOf(answer) is { } faults)
            return await ShowAsync(request, ConsoleForm.ValuesOf(form), faults, null, 400, ct);
        if (answer is Problem)
            return answer;
        var made = (CreatedApiKey)((IValueHttpResult)answer).Value!;
        return new PageAfter(await ShowAsync(request, [], null, made.Key, 200, ct), made);
    }

    [Function("ConsoleRevokeApiKey"), Allow(Roles.Admins), Audited("api_key.revoked", KeepsAnswer = false)]
    public async Task<IResult> RevokeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/api-keys/{keyId}/revoke")]
        HttpRequest request,
        string keyId,
        CancellationToken ct)
    {
        var caller = request.Caller();
        return SeeOther.After(
            await api.RevokeAsync(caller, caller.Tenant.Value.ToString(), keyId, new RevokeApiKeyQuery(), ct),
            _ => Address + "?notice=key-revoked");
    }

    private async Task<IResult> ShowAsync(
        HttpRequest request, Dictionary<string, string> values, IReadOnlyDictionary<string, string[]>? faults,
        string? secret, int status,
        CancellationToken ct)
    {
        var query = HttpMethods.IsPost(request.Method) ? null : ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query?.Bind<ListQuery>() ?? new ListQuery(), ct);
        return await pages.ShowAsync<ApiKeyListPage>(request, "API keys", "organization", new()
        {
            [nameof(ApiKeyListPage.Keys)] = page.ApiKeys,
            [nameof(ApiKeyListPage.Query)] = query?.Values ?? new Dictionary<string, string>(),
            [nameof(ApiKeyListPage.Next)] = page.NextCursor,
            [nameof(ApiKeyListPage.Values)] = values,
            [nameof(ApiKeyListPage.Errors)] = faults,
            [nameof(ApiKeyListPage.Secret)] = secret,
        }, ct, status);
    }
}
