using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>API keys: the secret is shown once, stored as a hash, and revoked for good.</summary>
internal sealed class ApiKeyEndpoints(ApiKeyStore store, AuditTrail audit, TimeProvider time)
{
    [Function("CreateApiKey"), Allow(Roles.Admins), Audited("api_key.created")]
    [Summary("Create an API key. Its secret is in this answer and nowhere else.")]
    [Body(typeof(CreateApiKeyRequest)), Returns(201, typeof(CreatedApiKey))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "organizations/{id}/api-keys")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!caller.IsOf(id))
            return Problem.NotFound("organization");
        var asked = await RequestBody.ReadAsync<CreateApiKeyRequest>(request, ct);
        _ = Roles.TryParse(asked.Role, out var role);
        if (role > caller.Role)
            return OwnRules.TooHigh(caller, role);
        if (asked.ExpiresAt <= time.GetUtcNow().UtcDateTime)
            return Problem.Validation("expires_at", "Must be in the future.");

        var secret = ApiKeySecret.Create();
        var key = await store.AddAsync(
            caller.Tenant, RowId.New(), asked.Name, role, secret, asked.ExpiresAt, caller.Principal, ct);
        return Results.Created(
            $"/api/organizations/{id}/api-keys/{key.Id}",
            new CreatedApiKey(key.Id, key.Name, key.Role, key.Hint, secret, key.ExpiresAt));
    }

    [Function("ListApiKeys"), Allow(Roles.Admins), Summary("List API keys, newest first, revoked ones too.")]
    [Query(typeof(ListQuery)), Returns(200, typeof(ApiKeyPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "organizations/{id}/api-keys")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!caller.IsOf(id))
            return Problem.NotFound("organization");
        var query = RequestBinder.BindQuery<ListQuery>(request.Query);
        var rows = await store.ListAsync(caller.Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return Results.Ok(new ApiKeyPage(rows, next));
    }

    [Function("GetApiKey"), Allow(Roles.Admins), Summary("Read an API key, without its secret.")]
    [Returns(200, typeof(ApiKey))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "organizations/{id}/api-keys/{keyId}")] HttpRequest request,
        string id,
        string keyId,
        CancellationToken ct) =>
        request.Caller().IsOf(id) && Ids.TryParse(keyId, out var key)
        && await store.FindAsync(request.Caller().Tenant, key, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("API key");

    [Function("RevokeApiKey"), Allow(Roles.Admins), Audited("api_key.revoked"), Summary("Revoke an API key, at once and for good.")]
    [Returns(204)]
    public async Task<IResult> RevokeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "organizations/{id}/api-keys/{keyId}")] HttpRequest request,
        string id,
        string keyId,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!caller.IsOf(id) || !Ids.TryParse(keyId, out var key) || await store.FindAsync(caller.Tenant, key, ct) is not { } found)
            return Problem.NotFound("API key");
        _ = Roles.TryParse(found.Role, out var role);
        if (role > caller.Role)
            return OwnRules.TooHigh(caller, role);
        audit.Before(found);
        await store.RevokeAsync(caller.Tenant, key, ct);
        return Results.NoContent();
    }
}
