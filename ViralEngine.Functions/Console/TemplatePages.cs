using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Console.Templates;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Templates;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Templates;
using TemplateFormPage = ViralEngine.Console.Templates.TemplatePage;
using TemplatePage = ViralEngine.Functions.Templates.TemplatePage;

namespace ViralEngine.Functions.Console;

/// <summary>Workflow templates, each with a form for its parameters.</summary>
internal sealed class TemplatePages(TemplateEndpoints api, TemplateStore store, ConsolePages pages)
{
    private const string Section = "workflows";

    [Function("ConsoleTemplates"), Allow(Roles.Readers)]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/workflow-templates")]
        HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        return await ShowListAsync(
            request, query, await api.ListAsync(request.Caller(), query.Bind<TemplateListQuery>(), ct), false, ct);
    }

    [Function("ConsolePublicTemplates"), Allow(Roles.Readers)]
    public async Task<IResult> ListPublicAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/workflow-templates/public")]
        HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        return await ShowListAsync(
            request, query, await api.ListPublicAsync(request.Caller(), query.Bind<TemplateListQuery>(), ct), true, ct);
    }

    [Function("ConsoleShowTemplate"), Allow(Roles.Readers)]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/workflow-templates/{id}")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var version = ConsoleQuery.Of(request).Bind<TemplateQuery>().Version;
        return await FindAsync(request, id, version, ct) is { } template
            ? await ShowAsync(
                request, template, new Dictionary<string, string>(), new Dictionary<string, string[]>(), 200, ct)
            : Problem.NotFound("workflow template");
    }

    [Function("ConsoleStartTemplate"), Allow(Roles.Operators)]
    public async Task<IResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/workflow-templates/{id}/start")]
        HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var version = int.TryParse(form["version"], out var asked) ? asked : (int?)null;
        if (await FindAsync(request, id, version, ct) is not { } template)
            return Problem.NotFound("workflow template");
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.StartAsync(request.Caller(), id, RequestOf(form, template), durable, ct));
        return ConsoleForm.FaultsOf(answer) is { } faults
            ? await ShowAsync(request, template, ConsoleForm.ValuesOf(form), faults, 400, ct)
            : SeeOther.After(
                answer, workflow => $"/console/workflows/{((Workflow)workflow!).Id}?notice=workflow-started");
    }

    private async Task<WorkflowTemplate?> FindAsync(
        HttpRequest request, string id, int? version, CancellationToken ct) =>
        Ids.TryParse(id, out var templateId)
            ? await store.FindAsync(request.Caller().Tenant, templateId, version, ct)
            : null;

    private Task<IResult> ShowListAsync(
        HttpRequest request, ConsoleQuery query, TemplatePage page, bool isPublic, CancellationToken ct) =>
        pages.ShowAsync<TemplateListPage>(request, "Workflow templates", Section, new()
        {
            [nameof(TemplateListPage.Templates)] = page.WorkflowTemplates,
            [nameof(TemplateListPage.IsPublic)] = isPublic,
            [nameof(TemplateListPage.Query)] = query.Values,
            [nameof(TemplateListPage.Next)] = page.NextCursor,
        }, ct);

    private Task<IResult> ShowAsync(
        HttpRequest request, WorkflowTemplate template, Dictionary<string, string> values,
        IReadOnlyDictionary<string, string[]> faults,
        int status, CancellationToken ct) =>
        pages.ShowAsync<TemplateFormPage>(request, template.Name, Section, new()
        {
            [nameof(TemplateFormPage.Template)] = template,
            [nameof(TemplateFormPage.Values)] = values,
            [nameof(TemplateFormPage.Errors)] = faults,
        }, ct, status);

    private static StartFromTemplateRequest RequestOf(IFormCollection form, WorkflowTemplate template)
    {
        var parameters = new JsonObject();
        foreach (var field in TemplateField.In(template.Parameters!.Value))
        {
            var text = form[field.Key].ToString().ReplaceLineEndings("\n");
            if (text.Length > 0)
                parameters[field.Name] = ValueOf(field, text);
        }

        var body = new JsonObject { ["version"] = template.Version, ["parameters"] = parameters };
        if (form["name"].ToString() is { Length: > 0 } name)
            body["name"] = name;
        return RequestBinder.Bind<StartFromTemplateRequest>(JsonSerializer.SerializeToElement(body));
    }

    /// <summary>
    /// A value that does not have the parameter's type stays a string, and is rejected by the API's rule.
    /// </summary>
    private static JsonNode? ValueOf(TemplateField field, string text)
    {
        if (!field.IsNumber && !field.IsJson && field.Type != "boolean")
            return text;
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
    }
}
