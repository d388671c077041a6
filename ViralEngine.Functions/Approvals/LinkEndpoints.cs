using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Texts;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Approvals;

/// <summary>Signed one-time links for deciding from an e-mail or chat without signing in.</summary>
internal sealed class LinkEndpoints(
    Db db,
    GateStore gates,
    LinkStore links,
    LinkSigner signer,
    ApproverDirectory approvers,
    DecideByLink decide,
    WorkflowStarts starts,
    AuditTrail trail,
    PublicAddress address,
    LinkPages pages,
    TimeProvider time)
{
    private const int MaxFormBytes = 16 * 1024;
    private const int MaxReasonCharacters = 2000;
    private const string NotValid = "The link is not valid.";
    private const string Over = "The link has been used or has expired.";

    [Function("CreateApprovalLink"), Allow(Roles.Deciders), Audited("approval.link_created", KeepsAnswer = false)]
    [Summary(
        "Create a one-time link that decides at a gate in the caller's name. "
        + "Links cannot be created for others, because their creator sees them.")]
    [Body(typeof(CreateLinkRequest)), Returns(201, typeof(CreatedLink))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/workflows/{id}/gates/{gateId}/links")]
        HttpRequest request,
        string id,
        string gateId,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var asked = await RequestBody.ReadAsync<CreateLinkRequest>(request, ct);
        if (!Ids.TryParse(id, out var workflowId)
            || await gates.FindAsync(caller.Tenant, workflowId, gateId, ct) is not { } gate)
            return Problem.NotFound("gate");
        var approver = asked.Approver is null
            ? Approver.From(caller)
            : await approvers.FindAsync(caller.Tenant, asked.Approver, ct);
        if (approver is null)
            return Problem.Validation("approver", "There is no such member or API key.");
        if (approver.Principal != caller.Principal)
            return Problem.Forbidden("You can create a link only for yourself, because its creator sees it.");
        if (!gate.IsOpen)
            return Problem.Conflict("gate-closed", $"The gate is closed: it was {gate.Status.ToText()}.");
        if (!gate.Asks(approver.Role, approver.Names))
            return Problem.Validation("approver", "Must be an approver for this gate.");

        var expiresAt = time.GetUtcNow().AddSeconds(asked.ExpiresInSeconds);
        var linkId = RowId.New();
        var decision = asked.Decision!.Value;
        await links.AddAsync(
            caller.Tenant,
            linkId,
            gate.Id,
            new ApprovalLink(
                workflowId, null, gateId, gate.Run, gate.Title, null, approver.Principal, decision,
                expiresAt.UtcDateTime, false,
                caller.Principal),
            ct);
        var path = $"/api/approvals/links/{signer.Sign(new LinkToken(caller.Tenant, linkId, decision, expiresAt))}";
        return Results.Created(
            path,
            new CreatedLink($"{address.Of(request)}{path}", decision, approver.Principal, expiresAt.UtcDateTime));
    }

    [Function("GetApprovalLink")]
    [Summary(
        "Show the page behind a one-time link. "
        + "The page names the decision and records it only when its button is pressed.")]
    [Returns(200, typeof(string), ContentType = "text/html")]
    [Returns(404, typeof(string), ContentType = "text/html", Description = "The link is not valid.")]
    [Returns(410, typeof(string), ContentType = "text/html", Description = "The link has been used or has expired.")]
    [Returns(
        503, typeof(Problem), ContentType = Problem.ContentType,
        Description = "The database cannot be reached. Try again.")]
    public async Task<IResult> ShowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/approvals/links/{token}")]
        HttpRequest request,
        string token,
        CancellationToken ct)
    {
        pages.Prepare(request.HttpContext);
        if (signer.Verify(token) is not { } read || await links.FindAsync(read.Tenant, read.LinkId, ct) is not { } link)
            return await pages.RefuseAsync(request, 404, NotValid);
        return link.Used || read.ExpiresAt <= time.GetUtcNow()
            ? await pages.RefuseAsync(request, 410, Over)
            : await pages.AskAsync(request, link);
    }

    [Function("UseApprovalLink"), Audited("approval.decided", KeepsAnswer = false)]
    [Summary("Record the decision of a one-time link.")]
    [Returns(200, typeof(string), ContentType = "text/html")]
    [Returns(
        403, typeof(string), ContentType = "text/html",
        Description = "The person this link was made for may no longer decide.")]
    [Returns(404, typeof(string), ContentType = "text/html", Description = "The link is not valid.")]
    [Returns(
        409, typeof(string), ContentType = "text/html",
        Description = "The gate is closed, or the approver has already decided.")]
    [Returns(410, typeof(string), ContentType = "text/html", Description = "The link has been used or has expired.")]
    [Returns(413, typeof(Problem), ContentType = Problem.ContentType, Description = "The form is too large.")]
    [Returns(
        503, typeof(Problem), ContentType = Problem.ContentType,
        Description = "The database cannot be reached. Try again.")]
    public async Task<IResult> UseAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/approvals/links/{token}")] HttpRequest request,
        string token,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        pages.Prepare(request.HttpContext);
        if (signer.Verify(token) is not { } read)
            return await pages.RefuseAsync(request, 404, NotValid);
        if (read.ExpiresAt <= time.GetUtcNow())
            return await pages.RefuseAsync(request, 410, Over);
        var reason = await ReasonAsync(request, ct);

        await db.BeginAsync(ct);
        var outcome = await decide.RunAsync(read, reason, ct);
        if (outcome is DecideByLink.Outcome.Decided { Result: DecideGate.Outcome.Taken taken, Link: var link })
        {
            trail.ByLink(read.Tenant, link.Decider, taken.Gate.Id);
            await db.AfterCommitAsync(next => starts.TellAsync(durable, link.WorkflowId, taken.Gate.Run, next), ct);
            await db.CommitAsync(ct);
            return await pages.ThankAsync(request, link);
        }

        await db.CommitAsync(ct); // a time-out that was noticed on the way
        var (status, fault) = outcome switch
        {
            DecideByLink.Outcome.Decided { Result: var result } => Refusal(result),
            DecideByLink.Outcome.NotTheirs =>
                (403, "This link was created by somebody else, so it cannot decide in your name."),
            DecideByLink.Outcome.NobodyThere => (403, "The person this link was made for may no longer decide."),
            _ => (410, Over),
        };
        return await pages.RefuseAsync(request, status, fault);
    }

    private static (int Status, string Fault) Refusal(DecideGate.Outcome result)
    {
        var problem = ApprovalEndpoints.ProblemOf(result);
        return (problem.Status, problem.Detail ?? problem.Title);
    }

    private static async Task<string?> ReasonAsync(HttpRequest request, CancellationToken ct)
    {
        var form = QueryHelpers.ParseQuery(OutsideText.Of(await RequestBody.ReadBytesAsync(request, MaxFormBytes, ct)));
        var reason = form.TryGetValue("reason", out var given)
            ? OutsideText.Of(given.ToString().Trim(), MaxReasonCharacters)
            : "";
        return reason.Length == 0 ? null : reason;
    }
}

internal sealed record CreateLinkRequest
{
    [Required]
    [Description("The decision of the link, part of its signature.")]
    public DecisionKind? Decision { get; init; }

    [StringLength(300, MinimumLength = 1)]
    [Description(
        "Who decides: user:<member id>, the subject of a member's tokens, or api_key:<id>. "
        + "Must be the caller; may be omitted.")]
    public string? Approver { get; init; }

    [Range(60, 30 * 24 * 3600)]
    public int ExpiresInSeconds { get; init; } = 3 * 24 * 3600;
}

/// <param name="Url">The link. Shown this once.</param>
internal sealed record CreatedLink(string Url, DecisionKind Decision, string Approver, DateTime ExpiresAt);
