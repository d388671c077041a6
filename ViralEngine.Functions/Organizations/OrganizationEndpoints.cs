using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>Organizations: created by the platform, managed by their own admins.</summary>
internal sealed class OrganizationEndpoints(
    OrganizationStore store, DeleteOrganization delete, AuditTrail audit, UsageStore usage,
    IOptions<LimitsOptions> limits, TimeProvider time)
{
    [Function("CreateOrganization"), Allow(Role.Platform), Audited("organization.created")]
    [Summary("Create an organization and its first API key.")]
    [Body(typeof(CreateOrganizationRequest)), Returns(201, typeof(CreatedOrganization))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/organizations")] HttpRequest request,
        CancellationToken ct)
    {
        var asked = await RequestBody.ReadAsync<CreateOrganizationRequest>(request, ct);
        var secret = ApiKeySecret.Create();
        var keyId = RowId.New();
        var made = await store.AddAsync(
            RowId.New(), asked.Name, asked.Plan, keyId, secret, request.Caller().Principal, ct);
        var key = new CreatedApiKey(keyId, "first key", "owner", ApiKeySecret.Hint(secret), secret, null);
        return Results.Created(
            $"/api/organizations/{made.Id}",
            new CreatedOrganization(made.Id, made.Name, made.Plan, made.CreatedAt, made.UpdatedAt, key));
    }

    [Function("ListOrganizations"), Allow(Roles.Readers | Role.Platform)]
    [Summary("List the organizations the caller belongs to.")]
    [Query(typeof(ListQuery)), Returns(200, typeof(OrganizationPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/organizations")] HttpRequest request,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<ListQuery>(request.Query);
        var rows = await store.ListAsync(ScopeOf(request.Caller()), query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return Results.Ok(new OrganizationPage(rows, next));
    }

    [Function("GetOrganization"), Allow(Roles.Readers | Role.Platform)]
    [Summary("Read an organization, its limits and its usage.")]
    [Returns(200, typeof(OrganizationDetails))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/organizations/{id}")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var organization) && await ReadAsync(request.Caller(), organization, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("organization");

    internal async Task<OrganizationDetails?> ReadAsync(Caller caller, Guid organization, CancellationToken ct)
    {
        var scope = ScopeOf(caller);
        if (await store.FindAsync(scope, organization, ct) is not { } found)
            return null;
        var now = time.GetUtcNow().UtcDateTime;
        var used = await usage.ReadAsync(scope, new TenantId(organization), new DateOnly(now.Year, now.Month, 1), ct);
        return new OrganizationDetails(
            found.Id, found.Name, found.Plan, found.CreatedAt, found.UpdatedAt,
            PlanResource.Of(limits.Value.Of(found.Plan)), used);
    }

    [Function("ChangeOrganization"), Allow(Roles.Admins | Role.Platform), Audited("organization.updated")]
    [Summary("Rename an organization. The platform key may also change its plan.")]
    [Body(typeof(UpdateOrganizationRequest), ContentType = "application/merge-patch+json")]
    [Returns(200, typeof(Organization))]
    public async Task<IResult> UpdateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "api/organizations/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var asked = await RequestBody.ReadAsync<UpdateOrganizationRequest>(request, ct);
        if (asked.Plan is not null && caller.Role != Role.Platform)
            return Problem.Forbidden("Only the platform key may change the plan.");
        if (!Ids.TryParse(id, out var organization))
            return Problem.NotFound("organization");
        audit.Before(await store.FindAsync(ScopeOf(caller), organization, ct));
        return await store.UpdateAsync(ScopeOf(caller), organization, asked.Name, asked.Plan, ct) is { } updated
            ? Results.Ok(updated)
            : Problem.NotFound("organization");
    }

    [Function("DeleteOrganization"), Allow(Role.Owner | Role.Platform), Audited("organization.deleted")]
    [Summary(
        "Delete an organization. Its keys, tokens, work and webhooks stop immediately; "
        + "its data is erased after the retention period.")]
    [Returns(204)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "api/organizations/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var scope = ScopeOf(request.Caller());
        if (!Ids.TryParse(id, out var organization) || await store.FindAsync(scope, organization, ct) is not { } found)
            return Problem.NotFound("organization");
        audit.Before(found);
        return await delete.RunAsync(organization, ct) ? Results.NoContent() : Problem.NotFound("organization");
    }

    private static DbScope ScopeOf(Caller caller) => caller.Role == Role.Platform ? DbScope.AllTenants : caller.Tenant;
}
