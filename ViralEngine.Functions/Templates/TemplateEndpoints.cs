using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Templates;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Templates;

/// <summary>Workflow templates: versioned, private or public, with typed parameters.</summary>
internal sealed class TemplateEndpoints(TemplateStore store, SubmitWorkflow submit, PublicTemplates publicTemplates)
{
    [Function("CreateWorkflowTemplate"), Allow(Roles.Operators), Audited("workflow_template.created")]
    [Summary("Create a workflow template as version 1.")]
    [Body(typeof(SaveTemplateRequest)), Returns(201, typeof(WorkflowTemplate))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/workflow-templates")] HttpRequest request,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var template = await ReadAsync(request, caller, RowId.New(), ct);
        await store.AddAsync(caller.Tenant, template, ct);
        return Results.Created(
            $"/api/workflow-templates/{template.Id}",
            await store.FindAsync(caller.Tenant, template.Id, version: null, ct));
    }

    [Function("ListWorkflowTemplates"), Allow(Roles.Readers)]
    [Summary("List the organization's workflow templates, newest first.")]
    [Query(typeof(TemplateListQuery)), Returns(200, typeof(TemplatePage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/workflow-templates")]
        HttpRequest request,
        CancellationToken ct) =>
        Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<TemplateListQuery>(request.Query), ct));

    internal async Task<TemplatePage> ListAsync(Caller caller, TemplateListQuery query, CancellationToken ct)
    {
        var rows = await store.ListAsync(caller.Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return new TemplatePage(rows, next);
    }

    // Named so that the host tries its route before workflow-templates/{id}.
    [Function("BrowsePublicWorkflowTemplates"), OperationId("listPublicWorkflowTemplates"), Allow(Roles.Readers)]
    [Summary("List the public workflow templates of all organizations, newest first.")]
    [Query(typeof(TemplateListQuery)), Returns(200, typeof(TemplatePage))]
    public async Task<IResult> ListPublicAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/workflow-templates/public")]
        HttpRequest request,
        CancellationToken ct) =>
        Results.Ok(
            await ListPublicAsync(request.Caller(), RequestBinder.BindQuery<TemplateListQuery>(request.Query), ct));

    internal async Task<TemplatePage> ListPublicAsync(Caller caller, TemplateListQuery query, CancellationToken ct)
    {
        var rows = await store.ListPublicAsync(caller.Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return new TemplatePage(rows, next);
    }

    [Function("GetWorkflowTemplate"), Allow(Roles.Readers)]
    [Summary("Read a version of a workflow template, your own or a public one.")]
    [Query(typeof(TemplateQuery)), Returns(200, typeof(WorkflowTemplate))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/workflow-templates/{id}")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<TemplateQuery>(request.Query);
        return Ids.TryParse(id, out var templateId)
            && await store.FindAsync(request.Caller().Tenant, templateId, query.Version, ct) is { } template
                ? Results.Ok(template)
                : Problem.NotFound("workflow template");
    }

    [Function("ListWorkflowTemplateVersions"), Allow(Roles.Readers)]
    [Summary("List the versions of a workflow template, newest first.")]
    [Returns(200, typeof(TemplateVersions))]
    public async Task<IResult> VersionsAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/workflow-templates/{id}/versions")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var templateId)
        && await store.VersionsAsync(request.Caller().Tenant, templateId, ct) is { Count: > 0 } versions
            ? Results.Ok(new TemplateVersions(versions))
            : Problem.NotFound("workflow template");

    [Function("ReplaceWorkflowTemplate"), Allow(Roles.Operators), Audited("workflow_template.changed")]
    [Summary("Add a version to a workflow template. Running workflows keep the version they started with.")]
    [Body(typeof(SaveTemplateRequest)), Returns(200, typeof(WorkflowTemplate))]
    public async Task<IResult> UpdateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "api/workflow-templates/{id}")] HttpRequest request,
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
    [Summary("Delete a workflow template with all its versions. Workflows started from it continue.")]
    [Returns(204)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "api/workflow-templates/{id}")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var templateId) && await store.DeleteAsync(request.Caller().Tenant, templateId, ct)
            ? Results.NoContent()
            : Problem.NotFound("workflow template");

    [Function("StartWorkflowFromTemplate"), Allow(Roles.Operators), FormerAddress]
    [Summary("Submit a workflow from a template.")]
    [Body(typeof(StartFromTemplateRequest)), Returns(201, typeof(Workflow))]
    public Task<IResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/workflows/from-template/{id}")]
        HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct) =>
        CreateWorkflowAsync(request, id, durable, ct);

    [Function("CreateWorkflowFromTemplate"), Allow(Roles.Operators), Summary("Submit a workflow from a template.")]
    [Body(typeof(StartFromTemplateRequest)), Returns(201, typeof(Workflow))]
    public async Task<IResult> CreateWorkflowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/workflow-templates/{id}/workflows")]
        HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct) =>
        await StartAsync(
            request.Caller(), id, await RequestBody.ReadAsync<StartFromTemplateRequest>(request, ct), durable, ct);

    internal async Task<IResult> StartAsync(
        Caller caller, string id, StartFromTemplateRequest asked, DurableTaskClient durable, CancellationToken ct)
    {
        SubmitWorkflow.CheckInput(asked.Parameters, "parameters");
        if (!Ids.TryParse(id, out var templateId)
            || await store.FindAsync(caller.Tenant, templateId, asked.Version, ct) is not { } template)
        {
            return Problem.NotFound("workflow template");
        }

        // Agents belong to the organization: those that another's public template names may not exist here.
        await submit.CheckAsync(caller.Tenant, template.Definition!.Value, "definition", ct);
        var errors = new FieldErrors();
        var parameters = TemplateParameters.Read(Declared(template.Parameters!.Value), errors)
            ?? throw new InvalidOperationException(
                $"The stored parameters of template {templateId} are no longer valid.");
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
            throw new ProblemException(
                Problem.Forbidden("Only admins and owners may make a template public or private."));
        var errors = new FieldErrors();
        var parameters = asked.Parameters ?? JsonElement.Parse("[]");
        _ = TemplateParameters.Read(Declared(parameters), errors);
        errors.ThrowIfAny();
        var definition = await submit.CheckAsync(
            caller.Tenant, asked.Definition, asked.Steps, asked.RollbackOnCancel, ct);
        if (asked.Visibility == "public")
        {
            await publicTemplates.CheckAsync(
                caller.Tenant, id, definition, asked.Definition is null ? "" : "definition",
                visibilityBefore == "public", ct);
        }

        return new NewTemplate(
            id, asked.Name, asked.Description, asked.Visibility, definition, parameters.GetRawText(), caller.Principal);
    }

    private static JsonElement Declared(JsonElement parameters) =>
        JsonElement.Parse(new JsonObject { ["parameters"] = JsonNode.Parse(parameters.GetRawText()) }.ToJsonString());
}
