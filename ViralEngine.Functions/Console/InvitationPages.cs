using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.SignIn;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>The invitations of the person who is signed in.</summary>
internal sealed class InvitationPages(
    InvitationEndpoints api, InvitationStore store, Authenticator authenticator, SessionCookie sessions,
    ConsolePages pages)
{
    private const string Address = "/console/invitations";

    [Function("ConsoleInvitations"), AllowPeople]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/invitations")] HttpRequest request,
        CancellationToken ct)
    {
        var subject = await PersonAsync(request);
        return await pages.ShowAsync<InvitationsPage>(request, "Invitations", "", new()
        {
            [nameof(InvitationsPage.Invitations)] = await store.ListAsync(subject, ct),
            [nameof(InvitationsPage.Subject)] = subject,
            [nameof(InvitationsPage.IsMember)] = sessions.Read(request.HttpContext)!.Tenant is not null,
        }, ct);
    }

    /// <summary>Switches to the organization that was just joined.</summary>
    [Function("ConsoleAcceptInvitation"), AllowPeople, Audited("member.accepted")]
    public async Task<IResult> AcceptAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/invitations/{id}/accept")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var answer = await api.AcceptAsync(await PersonAsync(request), id, ct);
        if (answer is IValueHttpResult { Value: Invitation { OrganizationId: var organization } })
        {
            var credential = sessions.Read(request.HttpContext)!.Credential;
            if (await authenticator.AuthenticateAsync(credential, organization, ct)
                is Authenticator.Outcome.Known(var member))
                sessions.Switch(request.HttpContext, organization, member.Sessions);
        }

        return SeeOther.After(answer, _ => "/console?notice=invitation-accepted");
    }

    [Function("ConsoleDeclineInvitation"), AllowPeople, Audited("member.declined")]
    public async Task<IResult> DeclineAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/invitations/{id}/decline")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        SeeOther.After(
            await api.DeclineAsync(await PersonAsync(request), id, ct), _ => Address + "?notice=invitation-declined");

    private async Task<string> PersonAsync(HttpRequest request)
    {
        if (sessions.Read(request.HttpContext) is not { } session)
            throw new ProblemException(Problem.Unauthorized("Sign in first."));
        var (subject, fault) = await authenticator.PersonOfAsync(session.Credential);
        if (subject is not null)
            return subject;
        throw new ProblemException(session.Credential.StartsWith(ApiKeySecret.Prefix, StringComparison.Ordinal)
            ? Problem.Forbidden("API keys cannot accept invitations. Sign in as a person.")
            : Problem.Unauthorized(fault!));
    }
}
