using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>API keys: the secret is shown once and stored as a hash; revocation is permanent.</summary>
internal sealed class ApiKeyEndpoints(
    ApiKeyStore store, OrganizationStore organizations, WaysIn waysIn, AuditTrail audit, TimeProvider time)
{
    [Function("CreateApiKey"), Allow(Roles.Admins | Role.Platform), Audited("api_key.created")]
    [Summary(
        "Create an API key. The response is the only place that shows its secret. "
        + "The platform key creates one for an organization that is locked out.")]
    [Body(typeof(CreateApiKeyRequest)), Returns(201, typeof(CreatedApiKey))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/organizations/{id}/api-keys")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        await CreateAsync(request.Caller(), id, await RequestBody.ReadAsync<CreateApiKeyRequest>(request, ct), ct);

    internal async Task<IResult> CreateAsync(Caller caller, string id, CreateApiKeyRequest asked, CancellationToken ct)
    {
        if (await TenantOfAsync(caller, id, ct) is not { } tenant)
            return Problem.NotFound("organization");
        _ = Roles.TryParse(asked.Role, out var role);
        if (!caller.MayGrant(role))
            return OwnRules.TooHigh(caller, role);
        if (asked.ExpiresAt <= time.GetUtcNow().UtcDateTime)
            return Problem.Validation("expires_at", "Must be in the future.");

        audit.Tenant = tenant;
        var secret = ApiKeySecret.Create();
        var key = await store.AddAsync(
            tenant, RowId.New(), asked.Name, role, secret, asked.ExpiresAt, caller.Principal, ct);
        return Results.Created(
            $"/api/organizations/{id}/api-keys/{key.Id}",
            new CreatedApiKey(key.Id, key.Name, key.Role, key.Hint, secret, key.ExpiresAt));
    }

    [Function("ListApiKeys"), Allow(Roles.Admins), Summary("List API keys, newest first, including revoked ones.")]
    [Query(typeof(ListQuery)), Returns(200, typeof(ApiKeyPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/organizations/{id}/api-keys")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        request.Caller().IsOf(id)
            ? Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<ListQuery>(request.Query), ct))
            : Problem.NotFound("organization");

    internal async Task<ApiKeyPage> ListAsync(Caller caller, ListQuery query, CancellationToken ct)
    {
        var rows = await store.ListAsync(caller.Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return new ApiKeyPage(rows, next);
    }

    [Function("GetApiKey"), Allow(Roles.Admins), Summary("Read an API key, without its secret.")]
    [Returns(200, typeof(ApiKey))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/organizations/{id}/api-keys/{keyId}")]
        HttpRequest request,
        string id,
        string keyId,
        CancellationToken ct) =>
        request.Caller().IsOf(id) && Ids.TryParse(keyId, out var key)
        && await store.FindAsync(request.Caller().Tenant, key, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("API key");

    [Function("DeleteApiKey"), Allow(Roles.Admins), Audited("api_key.revoked", KeepsAnswer = false)]
    [Summary(
        "Revoke an API key, immediately and permanently. "
        + "If it has leaked, also revoke the keys that were created with it.")]
    [Query(typeof(RevokeApiKeyQuery))]
    [Returns(200, typeof(RevokedKeys), Description = "Other keys were revoked with it."), Returns(204)]
    public async Task<IResult> RevokeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "api/organizations/{id}/api-keys/{keyId}")]
        HttpRequest request,
        string id,
        string keyId,
        CancellationToken ct) =>
        await RevokeAsync(request.Caller(), id, keyId, RequestBinder.BindQuery<RevokeApiKeyQuery>(request.Query), ct);

    internal async Task<IResult> RevokeAsync(
        Caller caller, string id, string keyId, RevokeApiKeyQuery query, CancellationToken ct)
    {
        if (!caller.IsOf(id) || !Ids.TryParse(keyId, out var key)
            || await store.FindAsync(caller.Tenant, key, ct) is not { } found)
            return Problem.NotFound("API key");
        var made = query.WithKeysItMade ? await store.MadeByAsync(caller.Tenant, $"api_key:{key}", ct) : [];
        var role = OwnRules.HighestOf([found, .. made]);
        if (!caller.MayGrant(role))
            return OwnRules.TooHigh(caller, role);
        if (found is { Role: "owner", RevokedAt: null }
            && (found.ExpiresAt is null || found.ExpiresAt > time.GetUtcNow().UtcDateTime)
            && !await waysIn.RemainAsync(
                caller.Tenant, [key, .. made.Select(each => each.Id)], null, lasting: found.ExpiresAt is null, ct))
        {
            return OwnRules.LastWayIn();
        }

        audit.Before(found);
        await store.RevokeAsync(caller.Tenant, [key, .. made.Select(each => each.Id)], ct);
        return made.Count == 0 ? Results.NoContent() : Results.Ok(new RevokedKeys(made));
    }

    /// <summary>The caller's own organization; for the platform, any existing one.</summary>
    private async Task<TenantId?> TenantOfAsync(Caller caller, string id, CancellationToken ct)
    {
        if (caller.Role != Role.Platform)
            return caller.IsOf(id) ? caller.Tenant : null;
        return Ids.TryParse(id, out var organization)
            && await organizations.FindAsync(DbScope.AllTenants, organization, ct) is not null
            ? new TenantId(organization)
            : null;
    }
}
