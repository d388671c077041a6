using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>
/// A person's invitations. Nobody becomes a member without accepting, so that nobody unknowingly acts for a stranger.
/// </summary>
internal sealed class InvitationEndpoints(InvitationStore store, Authenticator authenticator, AuditTrail trail)
{
    [Function("ListInvitations"), AllowPeople]
    [Summary("List the pending invitations of the person whose token is sent, newest first.")]
    [Returns(200, typeof(InvitationList))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/invitations")]
        HttpRequest request, CancellationToken ct) =>
        Results.Ok(new InvitationList(await store.ListAsync(await PersonAsync(request), ct)));

    [Function("AcceptInvitation"), AllowPeople, Audited("member.accepted")]
    [Summary("Accept an invitation: the person becomes a member of the organization. Idempotent.")]
    [Returns(200, typeof(Invitation))]
    public async Task<IResult> AcceptAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/invitations/{id}/accept")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        await AcceptAsync(await PersonAsync(request), id, ct);

    internal async Task<IResult> AcceptAsync(string subject, string id, CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var invitation)
            || await store.AcceptAsync(subject, invitation, ct) is not { } accepted)
            return Problem.NotFound("invitation");
        trail.ByPerson(new TenantId(accepted.OrganizationId), accepted.Id, subject);
        return Results.Ok(accepted);
    }

    [Function("DeclineInvitation"), AllowPeople, Audited("member.declined"), Summary("Decline an invitation.")]
    [Returns(200, typeof(Invitation))]
    public async Task<IResult> DeclineAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/invitations/{id}/decline")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        await DeclineAsync(await PersonAsync(request), id, ct);

    internal async Task<IResult> DeclineAsync(string subject, string id, CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var invitation)
            || await store.DeclineAsync(subject, invitation, ct) is not { } declined)
            return Problem.NotFound("invitation");
        trail.ByPerson(new TenantId(declined.OrganizationId), declined.Id, subject);
        return Results.Ok(declined);
    }

    private async Task<string> PersonAsync(HttpRequest request)
    {
        var (subject, fault) = await authenticator.PersonOfAsync(BearerToken.Of(request));
        return subject ?? throw new ProblemException(Problem.Unauthorized(fault!));
    }
}

internal sealed record InvitationList(IReadOnlyList<Invitation> Invitations);
