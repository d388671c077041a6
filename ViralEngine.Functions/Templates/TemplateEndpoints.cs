using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Templates;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Templates;

/// <summary>Templates of workflows: kept in versions, shared where their owner says so, and started with parameters that are checked.</summary>
internal sealed class TemplateEndpoints(TemplateStore store, SubmitWorkflow submit)
{
    [Function("CreateWorkflowTemplate"), Allow(Roles.Operators), Audited("workflow_template.created")]
    [Summary("Create a workflow template, its version 1.")]
    [Body(typeof(SaveTemplateRequest)), Returns(201, typeof(WorkflowTemplate))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "workflow-templates")] HttpRequest request, CancellationToken ct)
    {
        var caller = request.Caller();
        var template = await ReadAsync(request, caller, RowId.New(), ct);
        await store.AddAsync(caller.Tenant, template, ct);
        return Results.Created(
            $"/api/workflow-templates/{template.Id}", await store.FindAsync(caller.Tenant, template.Id, version: null, ct));
    }

    [Function("ListWorkflowTemplates"), Allow(Roles.Readers), Summary("List the organization's workflow templates, newest first.")]
    [Query(typeof(TemplateListQuery)), Returns(200, typeof(TemplatePage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "workflow-templates")] HttpRequest request, CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<TemplateListQuery>(request.Query);
        var rows = await store.ListAsync(request.Caller().Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return Results.Ok(new TemplatePage(rows, next));
    }

    [Function("ListPublicWorkflowTemplates"), Allow(Roles.Readers), Summary("List everybody's public workflow templates, newest first.")]
    [Query(typeof(TemplateListQuery)), Returns(200, typeof(TemplatePage))]
    public async Task<IResult> ListPublicAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "workflow-templates/public")] HttpRequest request,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<TemplateListQuery>(request.Query);
        var rows = await store.ListPublicAsync(request.Caller().Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return Results.Ok(new TemplatePage(rows, next));
    }

    [Function("GetWorkflowTemplate"), Allow(Roles.Readers), Summary("Read a version of a workflow template, its own or a public one.")]
    [Query(typeof(TemplateQuery)), Returns(200, typeof(WorkflowTemplate))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "workflow-templates/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<TemplateQuery>(request.Query);
        return Ids.TryParse(id, out var templateId)
            && await store.FindAsync(request.Caller().Tenant, templateId, query.Version, ct) is { } template
                ? Results.Ok(template)
                : Problem.NotFound("workflow template");
    }

    [Function("ListWorkflowTemplateVersions"), Allow(Roles.Readers), Summary("List the versions of a workflow template, newest first.")]
    [Returns(200, typeof(TemplateVersions))]
    public async Task<IResult> VersionsAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "workflow-templates/{id}/versions")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var templateId)
        && await store.VersionsAsync(request.Caller().Tenant, templateId, ct) is { Count: > 0 } versions
            ? Results.Ok(new TemplateVersions(versions))
            : Problem.NotFound("workflow template");

    [Function("UpdateWorkflowTemplate"), Allow(Roles.Operators), Audited("workflow_template.changed")]
    [Summary("Add a version to a workflow template; what runs keeps the one it was started with.")]
    [Body(typeof(SaveTemplateRequest)), Returns(200, typeof(WorkflowTemplate))]
    public async Task<IResult> UpdateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "workflow-templates/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var templateId)
            || await store.FindAsync(caller.Tenant, templateId, version: null, ct) is not { Own: true } before)
        {
            return Problem.NotFound("workflow template");
        }

        var template = await ReadAsync(request, caller, templateId, ct, before.Visibility);
        return await store.AddVersionAsync(caller.Tenant, template, ct) is { } version
            ? Results.Ok(await store.FindAsync(caller.Tenant, templateId, version, ct))
            : Problem.NotFound("workflow template");
    }

    [Function("DeleteWorkflowTemplate"), Allow(Roles.Operators), Audited("workflow_template.deleted")]
    [Summary("Delete a workflow template with its versions; workflows that were started from it go on.")]
    [Returns(204)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "workflow-templates/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var templateId) && await store.DeleteAsync(request.Caller().Tenant, templateId, ct)
            ? Results.NoContent()
            : Problem.NotFound("workflow template");

    [Function("StartWorkflowFromTemplate"), Allow(Roles.Operators), Summary("Submit a workflow from a template.")]
    [Body(typeof(StartFromTemplateRequest)), Returns(201, typeof(Workflow))]
    public async Task<IResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "workflows/from-template/{id}")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var asked = await RequestBody.ReadAsync<StartFromTemplateRequest>(request, ct);
        SubmitWorkflow.CheckInput(asked.Parameters, "parameters");
        if (!Ids.TryParse(id, out var templateId)
            || await store.FindAsync(caller.Tenant, templateId, asked.Version, ct) is not { } template)
        {
            return Problem.NotFound("workflow template");
        }

        // Agents are the organization's own: those of a template that another made public may not be there.
        await submit.CheckAsync(caller.Tenant, template.Definition!.Value, "definition", ct);
        var errors = new SettingsErrors();
        var parameters = TemplateParameters.Read(Declared(template.Parameters!.Value), errors)
            ?? throw new InvalidOperationException($"The stored parameters of template {templateId} are not valid any more.");
        var input = parameters.Apply(asked.Parameters, "parameters", errors);
        if (input is null)
            return Problem.Validation(errors.ToDictionary());

        var workflow = await submit.StoreAsync(
            durable,
            caller,
            new NewWorkflow(
                RowId.New(), asked.Name ?? template.Name, template.Definition.Value.GetRawText(), input, templateId,
                template.Version, caller.Principal),
            ct);
        return Results.Created($"/api/workflows/{workflow.Id}", workflow);
    }

    private async Task<NewTemplate> ReadAsync(
        HttpRequest request, Caller caller, Guid id, CancellationToken ct, string visibilityBefore = "private")
    {
        var asked = await RequestBody.ReadAsync<SaveTemplateRequest>(request, ct);
        if (asked.Visibility != visibilityBefore && (caller.Role & Roles.Admins) == 0)
            throw new ProblemException(Problem.Forbidden("Only admins and owners may make a template public or private."));
        var errors = new SettingsErrors();
        var parameters = asked.Parameters ?? JsonElement.Parse("[]");
        _ = TemplateParameters.Read(Declared(parameters), errors);
        if (errors.Any)
            throw new ProblemException(Problem.Validation(errors.ToDictionary()));
        var definition = await submit.CheckAsync(caller.Tenant, asked.Definition, asked.Steps, asked.RollbackOnCancel, ct);
        return new NewTemplate(
            id, asked.Name, asked.Description, asked.Visibility, definition, parameters.GetRawText(), caller.Principal);
    }

    private static JsonElement Declared(JsonElement parameters) =>
        JsonElement.Parse(new JsonObject { ["parameters"] = JsonNode.Parse(parameters.GetRawText()) }.ToJsonString());
}
