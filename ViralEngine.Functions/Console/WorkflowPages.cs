using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Console.Workflows;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Console;

/// <summary>The list of workflows, and a workflow with its graph and actions.</summary>
internal sealed class WorkflowPages(WorkflowEndpoints api, WorkflowStore store, ConsolePages pages)
{
    private const string Section = "workflows";

    [Function("ConsoleWorkflows"), Allow(Roles.Readers)]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/workflows")] HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query.Bind<WorkflowListQuery>(), ct);
        return await pages.ShowAsync<WorkflowListPage>(request, "Workflows", Section, new()
        {
            [nameof(WorkflowListPage.Workflows)] = page.Workflows,
            [nameof(WorkflowListPage.Query)] = query.Values,
            [nameof(WorkflowListPage.Next)] = page.NextCursor,
        }, ct);
    }

    [Function("ConsoleShowWorkflow"), Allow(Roles.Readers)]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/workflows/{id}")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var workflowId)
            || await store.FindAsync(request.Caller().Tenant, workflowId, ct) is not { } workflow)
            return Problem.NotFound("workflow");
        return await pages.ShowAsync<WorkflowDetailPage>(request, "Workflow", Section, new()
        {
            [nameof(WorkflowDetailPage.View)] = new WorkflowView(workflow, api.GraphOf(workflow)),
        }, ct);
    }

    [Function("ConsoleCancelWorkflow"), Allow(Roles.Operators), Audited("workflow.cancelled", KeepsAnswer = false)]
    public async Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/workflows/{id}/cancel")]
        HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct) =>
        SeeOther.After(
            await api.CancelAsync(request, id, durable, ct), _ => $"/console/workflows/{id}?notice=workflow-cancelled");

    [Function("ConsoleRetryWorkflow"), Allow(Roles.Operators)]
    [Audited("workflow.retried", Target = "id", KeepsAnswer = false)]
    public async Task<IResult> RetryAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/workflows/{id}/retry-from-step/{stepId}")]
        HttpRequest request,
        string id,
        string stepId,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct) =>
        SeeOther.After(
            await api.RetryAsync(request, id, stepId, durable, ct),
            _ => $"/console/workflows/{id}?notice=workflow-retried");
}
