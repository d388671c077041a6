using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Streams;

namespace ViralEngine.Functions.Workflows;

/// <summary>Workflows: steps with an order that may wait for people.</summary>
internal sealed class WorkflowEndpoints(
    Db db,
    WorkflowStore store,
    SubmitWorkflow submit,
    AdvanceWorkflow advance,
    RetryWorkflow retry,
    DefinitionReader reader,
    WorkflowStarts starts,
    EventFollower follower)
{
    [Function("CreateWorkflow"), Allow(Roles.Operators), Summary("Submit a workflow.")]
    [Body(typeof(CreateWorkflowRequest)), Returns(201, typeof(Workflow))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/workflows")] HttpRequest request,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var asked = await RequestBody.ReadAsync<CreateWorkflowRequest>(request, ct);
        SubmitWorkflow.CheckInput(asked.Input, "input");
        var definition = await submit.CheckAsync(
            caller.Tenant, asked.Definition, asked.Steps, asked.RollbackOnCancel, ct);
        var workflow = await submit.StoreAsync(
            durable,
            caller,
            new NewWorkflow(
                RowId.New(), asked.Name, definition, asked.Input?.GetRawText(), TemplateId: null, TemplateVersion: null,
                caller.Principal),
            ct);
        return Results.Created($"/api/workflows/{workflow.Id}", workflow);
    }

    [Function("ListWorkflows"), Allow(Roles.Readers)]
    [Summary("List workflows, newest first, without definitions and steps.")]
    [Query(typeof(WorkflowListQuery)), Returns(200, typeof(WorkflowPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/workflows")] HttpRequest request,
        CancellationToken ct) =>
        Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<WorkflowListQuery>(request.Query), ct));

    internal async Task<WorkflowPage> ListAsync(Caller caller, WorkflowListQuery query, CancellationToken ct)
    {
        var filter = new WorkflowFilter(query.Status, query.TemplateId, query.CreatedAfter, query.CreatedBefore);
        var workflows = await store.ListAsync(caller.Tenant, filter, query.After(), query.Limit + 1, ct);
        var next = query.Next(workflows, workflow => workflow.Id);
        return new WorkflowPage(workflows, next);
    }

    [Function("GetWorkflow"), Allow(Roles.Readers), Summary("Read a workflow with the state of each step.")]
    [Returns(200, typeof(Workflow))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/workflows/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var workflowId) && await store.FindAsync(
            request.Caller().Tenant, workflowId, ct) is { } workflow
            ? Results.Ok(workflow)
            : Problem.NotFound("workflow");

    [Function("CancelWorkflow"), Allow(Roles.Operators), Audited("workflow.cancelled", KeepsAnswer = false)]
    [Summary(
        "Cancel a workflow. Its waits end immediately and its running tasks within a second; "
        + "rollbacks run if rollback_on_cancel is true.")]
    [Returns(200, typeof(Workflow), Description = "Cancelled.")]
    [Returns(202, typeof(Workflow), Description = "The workflow is being rolled back.")]
    public async Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/workflows/{id}/cancel")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var workflowId)
            || await store.CancelAsync(caller.Tenant, workflowId, caller.Principal, ct) is not { } open)
        {
            return Problem.NotFound("workflow");
        }

        if (open)
            await advance.CancelAsync(caller.Tenant, workflowId, ct);
        var workflow = (await store.FindAsync(caller.Tenant, workflowId, ct))!;
        if (!open)
            return Problem.Conflict(
                "workflow-ended", $"The workflow cannot be cancelled: it is {workflow.Status.ToText()}.");
        await db.AfterCommitAsync(token => starts.TellAsync(durable, workflowId, workflow.Run, token), ct);
        return workflow.Status.HasEnded()
            ? Results.Ok(workflow)
            : Results.Accepted($"/api/workflows/{workflowId}", workflow);
    }

    [Function("RetryWorkflow"), Allow(Roles.Operators), Audited("workflow.retried", Target = "id", KeepsAnswer = false)]
    [Summary(
        "Retry a failed or cancelled workflow from a step. "
        + "Earlier steps keep their outputs; gates before steps that already ran open again.")]
    [Returns(202, typeof(Workflow))]
    public async Task<IResult> RetryAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/workflows/{id}/retry-from-step/{stepId}")]
        HttpRequest request,
        string id,
        string stepId,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var workflowId))
            return Problem.NotFound("workflow");
        switch (await retry.RunAsync(caller.Tenant, workflowId, stepId, caller.Principal, ct))
        {
            case RetryWorkflow.Outcome.Restarted(var run):
                await db.AfterCommitAsync(
                    token => starts.StartAsync(durable, caller.Tenant, workflowId, run, token), ct);
                return Results.Accepted(
                    $"/api/workflows/{workflowId}", await store.FindAsync(caller.Tenant, workflowId, ct));
            case RetryWorkflow.Outcome.Refused(var why):
                return Problem.Conflict("workflow-not-retryable", why);
            case RetryWorkflow.Outcome.UnknownStep:
                return Problem.NotFound("step");
            default:
                return Problem.NotFound("workflow");
        }
    }

    [Function("GetWorkflowGraph"), Allow(Roles.Readers)]
    [Summary("Draw a workflow with the state of each step, as a JSON graph or as Mermaid.")]
    [Query(typeof(VisualizeQuery)), Returns(200, typeof(WorkflowGraph))]
    [Returns(200, typeof(string), ContentType = "text/vnd.mermaid")]
    public async Task<IResult> VisualizeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/workflows/{id}/visualize")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<VisualizeQuery>(request.Query);
        if (!Ids.TryParse(id, out var workflowId)
            || await store.FindAsync(request.Caller().Tenant, workflowId, ct) is not { } workflow)
            return Problem.NotFound("workflow");
        var graph = GraphOf(workflow);
        return query.Format == "json"
            ? Results.Ok(graph)
            : Results.Text(MermaidChart.Of(graph), "text/vnd.mermaid; charset=utf-8");
    }

    internal WorkflowGraph GraphOf(Workflow workflow) =>
        WorkflowGraph.Of(reader.ReadStored(workflow.Definition!.Value), workflow);

    [Function("StreamWorkflow"), Allow(Roles.Readers), Summary("Follow a workflow's events as server-sent events.")]
    [Returns(200, ContentType = "text/event-stream", EventData = "WorkflowEvent")]
    [Returns(204, Description = "The workflow has ended and the client has every event.")]
    public Task StreamAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/workflows/{id}/stream")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        follower.FollowAsync(request, request.Caller().Tenant, WorkflowStore.EventHead, id, "workflow", ct);
}
