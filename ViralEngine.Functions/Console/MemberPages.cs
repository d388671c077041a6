using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Organization;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>The members of an organization, including invited ones.</summary>
internal sealed class MemberPages(MemberEndpoints api, ConsolePages pages)
{
    private const string Address = "/console/members";

    [Function("ConsoleMembers"), Allow(Roles.Readers)]
    public Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/members")] HttpRequest request,
        CancellationToken ct) =>
        ShowAsync(request, [], null, 200, ct);

    [Function("ConsoleAddMember"), Allow(Roles.Admins), Audited("member.added")]
    public async Task<IResult> AddAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/members")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var caller = request.Caller();
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.AddAsync(caller, caller.Tenant.Value.ToString(), ConsoleForm.Bind<AddMemberRequest>(form), ct));
        return ConsoleForm.FaultsOf(answer) is { } faults
            ? await ShowAsync(request, ConsoleForm.ValuesOf(form), faults, 400, ct)
            : SeeOther.After(answer, _ => Address + "?notice=member-invited");
    }

    [Function("ConsoleChangeMember"), Allow(Roles.Admins), Audited("member.changed")]
    public async Task<IResult> ChangeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/members/{memberId}/role")]
        HttpRequest request,
        string memberId,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var caller = request.Caller();
        return SeeOther.After(
            await api.ChangeAsync(
                caller, caller.Tenant.Value.ToString(), memberId, ConsoleForm.Bind<ChangeMemberRequest>(form), ct),
            _ => Address + "?notice=member-changed");
    }

    [Function("ConsoleRemoveMember"), Allow(Roles.Admins), Audited("member.removed", KeepsAnswer = false)]
    public async Task<IResult> RemoveAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/members/{memberId}/remove")]
        HttpRequest request,
        string memberId,
        CancellationToken ct) =>
        SeeOther.After(
            await api.RemoveAsync(request, request.Caller().Tenant.Value.ToString(), memberId, ct),
            _ => Address + "?notice=member-removed");

    private async Task<IResult> ShowAsync(
        HttpRequest request, Dictionary<string, string> values, IReadOnlyDictionary<string, string[]>? faults,
        int status, CancellationToken ct)
    {
        var query = HttpMethods.IsPost(request.Method) ? null : ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query?.Bind<ListQuery>() ?? new ListQuery(), ct);
        return await pages.ShowAsync<MemberListPage>(request, "Members", "organization", new()
        {
            [nameof(MemberListPage.Members)] = page.Members,
            [nameof(MemberListPage.Query)] = query?.Values ?? new Dictionary<string, string>(),
            [nameof(MemberListPage.Next)] = page.NextCursor,
            [nameof(MemberListPage.Values)] = values,
            [nameof(MemberListPage.Errors)] = faults,
        }, ct, status);
    }
}
