using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>The people of an organization and their roles. Nobody gives, changes or takes a role above their own.</summary>
internal sealed class MemberEndpoints(MemberStore store, AuditTrail audit, IOptions<LimitsOptions> limits)
{
    [Function("AddMember"), Allow(Roles.Admins), Audited("member.added"), Summary("Add a person by the subject of their tokens.")]
    [Body(typeof(AddMemberRequest)), Returns(201, typeof(Member))]
    public async Task<IResult> AddAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "organizations/{id}/members")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!caller.IsOf(id))
            return Problem.NotFound("organization");
        var asked = await RequestBody.ReadAsync<AddMemberRequest>(request, ct);
        _ = Roles.TryParse(asked.Role, out var role);
        if (role > caller.Role)
            return OwnRules.TooHigh(caller, role);

        var outcome = await store.AddAsync(
            caller.Tenant, RowId.New(), asked.Subject, asked.Email, asked.Name, role,
            limits.Value.Of(caller.Plan!).Members, ct);
        return outcome is MemberStore.Outcome.Done(var member)
            ? Results.Created($"/api/organizations/{id}/members/{member.Id}", member)
            : Problem.Conflict("member-exists", "The subject is a member of the organization already.");
    }

    [Function("ListMembers"), Allow(Roles.Readers), Summary("List the people of an organization, newest first.")]
    [Query(typeof(ListQuery)), Returns(200, typeof(MemberPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "organizations/{id}/members")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!caller.IsOf(id))
            return Problem.NotFound("organization");
        var query = RequestBinder.BindQuery<ListQuery>(request.Query);
        var rows = await store.ListAsync(caller.Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return Results.Ok(new MemberPage(rows, next));
    }

    [Function("GetMember"), Allow(Roles.Readers), Summary("Read a member.")]
    [Returns(200, typeof(Member))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "organizations/{id}/members/{memberId}")] HttpRequest request,
        string id,
        string memberId,
        CancellationToken ct) =>
        request.Caller().IsOf(id) && Ids.TryParse(memberId, out var member)
        && await store.FindAsync(request.Caller().Tenant, member, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("member");

    [Function("ChangeMember"), Allow(Roles.Admins), Audited("member.changed"), Summary("Give a member another role.")]
    [Body(typeof(ChangeMemberRequest)), Returns(200, typeof(Member))]
    public async Task<IResult> ChangeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "organizations/{id}/members/{memberId}")] HttpRequest request,
        string id,
        string memberId,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var asked = await RequestBody.ReadAsync<ChangeMemberRequest>(request, ct);
        _ = Roles.TryParse(asked.Role, out var role);
        if (!caller.IsOf(id) || !Ids.TryParse(memberId, out var member)
            || await store.FindAsync(caller.Tenant, member, ct) is not { } current)
        {
            return Problem.NotFound("member");
        }

        _ = Roles.TryParse(current.Role, out var before);
        if (role > caller.Role || before > caller.Role)
            return OwnRules.TooHigh(caller, role > before ? role : before);
        audit.Before(current);
        return await store.ChangeRoleAsync(caller.Tenant, member, role, ct) is { } changed
            ? Results.Ok(changed)
            : Problem.NotFound("member");
    }

    [Function("RemoveMember"), Allow(Roles.Admins), Audited("member.removed"), Summary("Remove a person from an organization.")]
    [Returns(204)]
    public async Task<IResult> RemoveAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "organizations/{id}/members/{memberId}")] HttpRequest request,
        string id,
        string memberId,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!caller.IsOf(id) || !Ids.TryParse(memberId, out var member)
            || await store.FindAsync(caller.Tenant, member, ct) is not { } current)
        {
            return Problem.NotFound("member");
        }

        _ = Roles.TryParse(current.Role, out var role);
        if (role > caller.Role)
            return OwnRules.TooHigh(caller, role);
        audit.Before(current);
        return await store.RemoveAsync(caller.Tenant, member, ct) ? Results.NoContent() : Problem.NotFound("member");
    }
}

/// <summary>What holds for people and keys alike.</summary>
internal static class OwnRules
{
    /// <summary>Whether the organization of a route is the caller's own; any other is as if it were not there.</summary>
    public static bool IsOf(this Caller caller, string organizationId) =>
        Ids.TryParse(organizationId, out var id) && id == caller.Tenant.Value;

    public static Problem TooHigh(Caller caller, Role role) =>
        Problem.Forbidden($"The role {caller.Role.ToText()} may not give or take the role {role.ToText()}.");
}
