using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>
/// The members of an organization and their roles. Nobody can grant, change or remove a role above their own. A member
/// who loses a role loses the keys created with it.
/// </summary>
internal sealed class MemberEndpoints(
    MemberStore store, ApiKeyStore keys, WaysIn waysIn, AuditTrail audit, IOptions<LimitsOptions> limits)
{
    [Function("CreateMember"), Allow(Roles.Admins), Audited("member.added")]
    [Summary("Invite a person by the subject of their tokens. They become a member when they accept.")]
    [Body(typeof(AddMemberRequest)), Returns(201, typeof(Member))]
    public async Task<IResult> AddAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/organizations/{id}/members")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        await AddAsync(request.Caller(), id, await RequestBody.ReadAsync<AddMemberRequest>(request, ct), ct);

    internal async Task<IResult> AddAsync(Caller caller, string id, AddMemberRequest asked, CancellationToken ct)
    {
        if (!caller.IsOf(id))
            return Problem.NotFound("organization");
        _ = Roles.TryParse(asked.Role, out var role);
        if (!caller.MayGrant(role))
            return OwnRules.TooHigh(caller, role);

        var outcome = await store.AddAsync(
            caller.Tenant, RowId.New(), asked.Subject, asked.Email, asked.Name, role, caller.Principal,
            limits.Value.Of(caller.Plan!).Members, ct);
        return outcome is MemberStore.Outcome.Done(var member)
            ? Results.Created($"/api/organizations/{id}/members/{member.Id}", member)
            : Problem.Conflict(
                "member-exists", "The subject is already a member of the organization or invited to it.");
    }

    [Function("ListMembers"), Allow(Roles.Readers), Summary("List the members of an organization, newest first.")]
    [Query(typeof(ListQuery)), Returns(200, typeof(MemberPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/organizations/{id}/members")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        request.Caller().IsOf(id)
            ? Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<ListQuery>(request.Query), ct))
            : Problem.NotFound("organization");

    internal async Task<MemberPage> ListAsync(Caller caller, ListQuery query, CancellationToken ct)
    {
        var rows = await store.ListAsync(caller.Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return new MemberPage(rows, next);
    }

    [Function("GetMember"), Allow(Roles.Readers), Summary("Read a member.")]
    [Returns(200, typeof(Member))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/organizations/{id}/members/{memberId}")]
        HttpRequest request,
        string id,
        string memberId,
        CancellationToken ct) =>
        request.Caller().IsOf(id) && Ids.TryParse(memberId, out var member)
        && await store.FindAsync(request.Caller().Tenant, member, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("member");

    [Function("ChangeMember"), Allow(Roles.Admins), Audited("member.changed")]
    [Summary("Change a member's role. Keys they created with a higher role are revoked.")]
    [Body(typeof(ChangeMemberRequest), ContentType = "application/merge-patch+json"), Returns(200, typeof(Member))]
    public async Task<IResult> ChangeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "api/organizations/{id}/members/{memberId}")]
        HttpRequest request,
        string id,
        string memberId,
        CancellationToken ct) =>
        await ChangeAsync(
            request.Caller(), id, memberId, await RequestBody.ReadAsync<ChangeMemberRequest>(request, ct), ct);

    internal async Task<IResult> ChangeAsync(
        Caller caller, string id, string memberId, ChangeMemberRequest asked, CancellationToken ct)
    {
        _ = Roles.TryParse(asked.Role, out var role);
        if (!caller.IsOf(id) || !Ids.TryParse(memberId, out var member)
            || await store.FindAsync(caller.Tenant, member, ct) is not { } current)
        {
            return Problem.NotFound("member");
        }

        _ = Roles.TryParse(current.Role, out var before);
        if (!caller.MayGrant(role) || !caller.MayGrant(before))
            return OwnRules.TooHigh(caller, role > before ? role : before);
        var above = (await keys.MadeByAsync(caller.Tenant, $"user:{member}", ct)).Where(
            key => OwnRules.HighestOf([key]) > role).ToList();
        if (await IsLastWayInAsync(caller.Tenant, current, above, role, ct))
            return OwnRules.LastWayIn();
        audit.Before(current);
        await keys.RevokeAsync(caller.Tenant, [.. above.Select(key => key.Id)], ct);
        return await store.ChangeRoleAsync(caller.Tenant, member, role, ct) is { } changed
            ? Results.Ok(changed)
            : Problem.NotFound("member");
    }

    [Function("DeleteMember"), Allow(Roles.Admins), Audited("member.removed", KeepsAnswer = false)]
    [Summary("Remove a member from an organization, and revoke the keys they created.")]
    [Returns(200, typeof(RevokedKeys), Description = "The member had created keys, which are revoked."), Returns(204)]
    public async Task<IResult> RemoveAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "api/organizations/{id}/members/{memberId}")]
        HttpRequest request,
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
        if (!caller.MayGrant(role))
            return OwnRules.TooHigh(caller, role);
        var made = await keys.MadeByAsync(caller.Tenant, $"user:{member}", ct);
        if (await IsLastWayInAsync(caller.Tenant, current, made, Role.None, ct))
            return OwnRules.LastWayIn();
        audit.Before(current);
        if (!await store.RemoveAsync(caller.Tenant, member, ct))
            return Problem.NotFound("member");
        await keys.RevokeAsync(caller.Tenant, [.. made.Select(key => key.Id)], ct);
        return made.Count == 0 ? Results.NoContent() : Results.Ok(new RevokedKeys(made));
    }

    /// <summary>
    /// Whether no owner would have access once the member has another role, or none, and the keys are revoked.
    /// </summary>
    private async Task<bool> IsLastWayInAsync(
        TenantId tenant, Member member, IReadOnlyList<ApiKey> lost, Role becomes, CancellationToken ct)
    {
        var loses = (member is { Role: "owner", AcceptedAt: not null } && becomes != Role.Owner)
            || lost.Any(key => key.Role == "owner");
        return loses && !await waysIn.RemainAsync(
            tenant, [.. lost.Select(key => key.Id)], becomes == Role.Owner ? null : member.Id, lasting: true, ct);
    }
}

/// <summary>Rules for members and keys alike.</summary>
internal static class OwnRules
{
    /// <summary>Whether the organization of a route is the caller's own. Any other is treated as not found.</summary>
    public static bool IsOf(this Caller caller, string organizationId) =>
        Ids.TryParse(organizationId, out var id) && id == caller.Tenant.Value;

    /// <summary>The highest role of the keys.</summary>
    public static Role HighestOf(IEnumerable<ApiKey> keys) =>
        keys.Select(key => Roles.TryParse(key.Role, out var role) ? role : Role.None).DefaultIfEmpty().Max();

    public static Problem LastWayIn() => Problem.Conflict(
        "last-owner", "The organization would have no owner: add another owner or create an owner's key first.");

    public static Problem TooHigh(Caller caller, Role role) =>
        Problem.Forbidden($"The role {caller.Role.ToText()} may not grant or remove the role {role.ToText()}.");
}
