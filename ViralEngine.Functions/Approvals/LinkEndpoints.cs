using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Approvals;

/// <summary>Signed one-time links, to decide from a mail or a chat without signing in.</summary>
internal sealed class LinkEndpoints(
    Db db,
    GateStore gates,
    LinkStore links,
    LinkSigner signer,
    ApproverDirectory approvers,
    DecideByLink decide,
    WorkflowStarts starts,
    AuditTrail trail,
    TimeProvider time)
{
    private const int MostFormBytes = 16 * 1024;

    [Function("CreateApprovalLink"), Allow(Roles.Deciders), Audited("approval.link_created", KeepsAnswer = false)]
    [Summary("Make a one-time link that decides at a gate in the name of an approver: oneself, or for admins anybody the gate asks.")]
    [Body(typeof(CreateLinkRequest)), Returns(201, typeof(CreatedLink))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "workflows/{id}/gates/{gateId}/links")] HttpRequest request,
        string id,
        string gateId,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var asked = await RequestBody.ReadAsync<CreateLinkRequest>(request, ct);
        if (!Ids.TryParse(id, out var workflowId) || await gates.FindAsync(caller.Tenant, workflowId, gateId, ct) is not { } gate)
            return Problem.NotFound("gate");
        var approver = asked.Approver is null
            ? Approver.From(caller)
            : await approvers.FindAsync(caller.Tenant, asked.Approver, ct);
        if (approver is null)
            return Problem.Validation("approver", "There is no such member or API key.");
        if (approver.Principal != caller.Principal && (caller.Role & Roles.Admins) == 0)
            return Problem.Forbidden("Only admins and owners make links for others.");
        if (!gate.IsOpen)
            return Problem.Conflict("gate-closed", $"The gate is closed: it was {gate.Status.ToText()}.");
        if (!gate.Asks(approver.Role, approver.Names))
            return Problem.Validation("approver", "The gate does not ask this approver.");

        var expiresAt = time.GetUtcNow().AddSeconds(asked.ExpiresInSeconds);
        var linkId = RowId.New();
        var decision = asked.Decision!.Value;
        await links.AddAsync(
            caller.Tenant,
            linkId,
            gate.Id,
            new ApprovalLink(
                workflowId, null, gateId, gate.Run, gate.Title, null, approver.Principal, decision, expiresAt.UtcDateTime, false),
            caller.Principal,
            ct);
        var path = $"/api/approvals/links/{signer.Sign(new LinkToken(caller.Tenant, linkId, decision, expiresAt))}";
        return Results.Created(
            path,
            new CreatedLink($"{request.Scheme}://{request.Host}{path}", decision, approver.Principal, expiresAt.UtcDateTime));
    }

    [Function("ShowApprovalLink"), Summary("The page behind a one-time link: it names the decision, and takes it only when its button is pressed.")]
    [Returns(200, typeof(string), ContentType = "text/html")]
    [Returns(404, typeof(string), ContentType = "text/html", Description = "It is not a link of ours.")]
    [Returns(410, typeof(string), ContentType = "text/html", Description = "It was used already, or its time is over.")]
    [Returns(503, typeof(Problem), ContentType = Problem.ContentType, Description = "The database cannot be reached for the moment.")]
    public async Task<IResult> ShowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "approvals/links/{token}")] HttpRequest request,
        string token,
        CancellationToken ct)
    {
        if (signer.Verify(token) is not { } read || await links.FindAsync(read.Tenant, read.LinkId, ct) is not { } link)
            return LinkPage.Over(404, "It is not a link of ours.");
        return link.Used || read.ExpiresAt <= time.GetUtcNow() ? Over() : LinkPage.Ask(link);
    }

    [Function("UseApprovalLink"), Audited("approval.decided", KeepsAnswer = false), Summary("Take the decision that a one-time link names.")]
    [Returns(200, typeof(string), ContentType = "text/html")]
    [Returns(403, typeof(string), ContentType = "text/html", Description = "Whom it was made for may not decide any more.")]
    [Returns(404, typeof(string), ContentType = "text/html", Description = "It is not a link of ours.")]
    [Returns(409, typeof(string), ContentType = "text/html", Description = "The gate is closed, or the approver has decided already.")]
    [Returns(410, typeof(string), ContentType = "text/html", Description = "It was used already, or its time is over.")]
    [Returns(413, typeof(Problem), ContentType = Problem.ContentType, Description = "The form is larger than is accepted here.")]
    [Returns(503, typeof(Problem), ContentType = Problem.ContentType, Description = "The database cannot be reached for the moment.")]
    public async Task<IResult> UseAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "approvals/links/{token}")] HttpRequest request,
        string token,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        if (signer.Verify(token) is not { } read)
            return LinkPage.Over(404, "It is not a link of ours.");
        if (read.ExpiresAt <= time.GetUtcNow())
            return Over();
        var reason = await ReasonAsync(request, ct);

        await db.BeginAsync(ct);
        var outcome = await decide.RunAsync(read, reason, ct);
        if (outcome is DecideByLink.Outcome.Decided { Result: DecideGate.Outcome.Taken taken, Link: var link })
        {
            trail.ByLink(read.Tenant, link.Decider, taken.Gate.Id);
            await db.AfterCommitAsync(next => starts.TellAsync(durable, link.WorkflowId, taken.Gate.Run, next), ct);
            await db.CommitAsync(ct);
            return LinkPage.Done(link);
        }

        await db.CommitAsync(ct); // a time-out that was noticed on the way
        return outcome switch
        {
            DecideByLink.Outcome.Decided { Result: var result } => Refused(result),
            DecideByLink.Outcome.NobodyThere => LinkPage.Over(403, "Whom it was made for may not decide any more."),
            _ => Over(),
        };
    }

    private static LinkPage Over() => LinkPage.Over(410, "It was used already, or its time is over.");

    private static LinkPage Refused(DecideGate.Outcome result)
    {
        var problem = ApprovalEndpoints.ProblemOf(result);
        return LinkPage.Over(problem.Status, problem.Detail ?? problem.Title);
    }

    private static async Task<string?> ReasonAsync(HttpRequest request, CancellationToken ct)
    {
        var body = Encoding.UTF8.GetString(await RequestBody.ReadBytesAsync(request, MostFormBytes, ct));
        var reason = QueryHelpers.ParseQuery(body).TryGetValue("reason", out var given) ? given.ToString().Trim().Replace("\0", "", StringComparison.Ordinal) : "";
        return reason.Length == 0 ? null : reason.Length <= 2000 ? reason : reason[..2000];
    }
}

internal sealed record CreateLinkRequest
{
    [Required]
    [Description("What the link says; signed into it.")]
    public DecisionKind? Decision { get; init; }

    [StringLength(300, MinimumLength = 1)]
    [Description("In whose name: user:<member id>, the subject of a member's tokens, or api_key:<id>. The caller unless given.")]
    public string? Approver { get; init; }

    [Range(60, 30 * 24 * 3600)]
    public int ExpiresInSeconds { get; init; } = 3 * 24 * 3600;
}

/// <param name="Url">The link. Shown this once.</param>
internal sealed record CreatedLink(string Url, DecisionKind Decision, string Approver, DateTime ExpiresAt);
