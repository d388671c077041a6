using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Console.Approvals;
using ViralEngine.Console.Workflows;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Approvals;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Console;

/// <summary>The approval inbox and the gates.</summary>
internal sealed class ApprovalPages(
    ApprovalEndpoints api, GateStore store, WorkflowStore workflows, WorkflowEndpoints workflowApi, ConsolePages pages)
{
    private const string Section = "approvals";

    [Function("ConsoleApprovals"), Allow(Roles.Deciders)]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/approvals")] HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query.Bind<ApprovalListQuery>(), ct);
        return await pages.ShowAsync<InboxPage>(request, "Approvals", Section, new()
        {
            [nameof(InboxPage.Gates)] = RowsOf(page),
            [nameof(InboxPage.Query)] = query.Values,
            [nameof(InboxPage.Next)] = page.NextCursor,
        }, ct);
    }

    [Function("ConsoleGate"), Allow(Roles.Readers)]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/approvals/{id}/{gateId}")]
        HttpRequest request,
        string id,
        string gateId,
        CancellationToken ct) =>
        ShowAsync(request, id, gateId, null, ct);

    [Function("ConsoleDecideGate"), Allow(Roles.Deciders), Audited("approval.decided", KeepsAnswer = false)]
    public async Task<IResult> DecideAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/approvals/{id}/{gateId}/decide")]
        HttpRequest request,
        string id,
        string gateId,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.DecideAsync(request.Caller(), id, gateId, ConsoleForm.Bind<DecideRequest>(form), durable, ct));
        if (ConsoleForm.FaultsOf(answer) is { } faults)
            return await ShowAsync(request, id, gateId, faults, ct);
        var notice = form["decision"] == "approve" ? "approved" : "rejected";
        return SeeOther.After(answer, _ => $"/console/approvals/{id}/{Uri.EscapeDataString(gateId)}?notice={notice}");
    }

    internal static IReadOnlyList<GateRow> RowsOf(ApprovalPage page) => [.. page.Approvals.Select(RowOf)];

    private async Task<IResult> ShowAsync(
        HttpRequest request, string id, string gateId, IReadOnlyDictionary<string, string[]>? faults,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var workflowId)
            || await store.FindAsync(tenant, workflowId, gateId, ct) is not { } gate
            || await workflows.FindAsync(tenant, workflowId, ct) is not { } workflow)
            return Problem.NotFound("gate");
        return await pages.ShowAsync<GatePage>(request, "Gate", Section, new()
        {
            [nameof(GatePage.Gate)] = ViewOf(GateResource.Of(gate)),
            [nameof(GatePage.Workflow)] = new WorkflowView(workflow, workflowApi.GraphOf(workflow)),
            [nameof(GatePage.Errors)] = faults,
        }, ct, faults is null ? 200 : 400);
    }

    private static GateRow RowOf(GateResource gate) => new(
        gate.WorkflowId, gate.GateId, gate.Title, gate.RequestedBy, gate.OpenedAt, gate.ExpiresAt,
        gate.Decisions.Count(decision => decision.Decision == DecisionKind.Approve), gate.Quorum);

    private static GateView ViewOf(GateResource gate) => new(
        RowOf(gate), gate.Status.ToText(), gate.Status == GateStatus.Open, gate.TimedOut, gate.Message,
        [.. gate.Roles, .. gate.Users], gate.RejectQuorum, gate.OnTimeout.ToText(), gate.DecidedAt,
        [.. gate.Decisions.Select(made => new DecisionView(
            made.Decision.ToText(), made.By, made.Reason, made.Via, made.DecidedAt))]);
}
