using Microsoft.AspNetCore.Http;
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

/// <summary>Approvals: the gates that wait for the caller, and their decisions.</summary>
internal sealed class ApprovalEndpoints(Db db, GateStore store, DecideGate decide, WorkflowStarts starts)
{
    [Function("ListApprovals"), Allow(Roles.Deciders)]
    [Summary("List the gates that wait for the caller's decision, newest first.")]
    [Query(typeof(ApprovalListQuery)), Returns(200, typeof(ApprovalPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/approvals")] HttpRequest request,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<ApprovalListQuery>(request.Query);
        return Results.Ok(await ListAsync(request.Caller(), query, ct));
    }

    internal async Task<ApprovalPage> ListAsync(Caller caller, ApprovalListQuery query, CancellationToken ct)
    {
        var gates = await store.WaitingForAsync(caller, query.After(), query.Limit + 1, ct);
        var next = query.Next(gates, gate => gate.Id);
        return new ApprovalPage([.. gates.Select(GateResource.Of)], next);
    }

    [Function("GetGate"), Allow(Roles.Readers)]
    [Summary("Read a gate of a workflow with all its decisions. If it ran several times, its latest run.")]
    [Returns(200, typeof(GateResource))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/workflows/{id}/gates/{gateId}")]
        HttpRequest request,
        string id,
        string gateId,
        CancellationToken ct) =>
        Ids.TryParse(id, out var workflowId) && await store.FindAsync(
            request.Caller().Tenant, workflowId, gateId, ct) is { } gate
            ? Results.Ok(GateResource.Of(gate))
            : Problem.NotFound("gate");

    [Function("CreateDecision"), Allow(Roles.Deciders), Audited("approval.decided", KeepsAnswer = false)]
    [Summary(
        "Decide at a gate. A decision counts while the gate is open, once per person, "
        + "whatever keys they hold, and is final.")]
    [Body(typeof(DecideRequest))]
    [Returns(200, typeof(GateResource), Description = "The decision is counted, or was counted before.")]
    public async Task<IResult> DecideAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/workflows/{id}/gates/{gateId}/decisions")]
        HttpRequest request,
        string id,
        string gateId,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var asked = await RequestBody.ReadAsync<DecideRequest>(request, ct);
        return await DecideAsync(request.Caller(), id, gateId, asked, durable, ct);
    }

    internal async Task<IResult> DecideAsync(
        Caller caller, string id, string gateId, DecideRequest asked, DurableTaskClient durable, CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var workflowId))
            return Problem.NotFound("workflow");
        var outcome = await decide.RunAsync(
            caller.Tenant, workflowId, gateId, run: null, Approver.From(caller), asked.Decision!.Value, asked.Reason,
            linkCreatedBy: null, ct);
        if (outcome is not DecideGate.Outcome.Taken(var gate, _))
            return ProblemOf(outcome);
        await db.AfterCommitAsync(token => starts.TellAsync(durable, workflowId, gate.Run, token), ct);
        return Results.Ok(GateResource.Of(gate));
    }

    internal static Problem ProblemOf(DecideGate.Outcome outcome) => outcome switch
    {
        DecideGate.Outcome.NotOpenYet => Problem.Conflict(
            "gate-not-open", "The workflow has not reached this gate yet."),
        DecideGate.Outcome.Closed(var gate) => Problem.Conflict(
            "gate-closed",
            $"The gate is closed: it was {gate.Status.ToText()}"
            + $"{(gate.TimedOut ? " because nobody decided in time" : "")}."),
        DecideGate.Outcome.DecidedAlready(var decision) => Problem.Conflict(
            "already-decided", $"You have already decided: {decision.Kind.ToText()}. A decision is final."),
        DecideGate.Outcome.SamePerson(var decision) => Problem.Conflict(
            "already-decided",
            $"You have already decided as {decision.Decider}: a key and whoever created it count as one person."),
        DecideGate.Outcome.NotAsked(var why) => Problem.Forbidden(why),
        _ => Problem.NotFound("gate"),
    };
}
