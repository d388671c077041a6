using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Agents;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Adds, edits and deletes agents.</summary>
internal sealed class AgentFormPages(AgentEndpoints api, AgentStore store, ConsolePages pages)
{
    private const string Section = "agents";
    private static readonly JsonSerializerOptions Readable =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Function("ConsoleNewAgent"), Allow(Roles.Admins)]
    public Task<IResult> NewAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/agents/new")] HttpRequest request,
        CancellationToken ct) =>
        ShowAsync(request, null, [], null, 200, ct);

    [Function("ConsoleCreateAgent"), Allow(Roles.Admins), Audited("agent.created")]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/agents/new")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.CreateAsync(request.Caller(), ConsoleForm.Bind<SaveAgentRequest>(form), ct));
        return FaultsOf(answer) is { } faults
            ? await ShowAsync(request, null, ConsoleForm.ValuesOf(form), faults, 400, ct)
            : SeeOther.After(answer, agent => $"/console/agents/{((AgentResource)agent!).Id}?notice=agent-created");
    }

    [Function("ConsoleEditAgent"), Allow(Roles.Admins)]
    public async Task<IResult> EditAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/agents/{id}/edit")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var agentId) && await store.FindAsync(request.Caller().Tenant, agentId, ct) is { } agent
            ? await ShowAsync(request, id, ValuesOf(AgentResource.Of(agent)), null, 200, ct)
            : Problem.NotFound("agent");

    [Function("ConsoleSaveAgent"), Allow(Roles.Admins), Audited("agent.changed")]
    public async Task<IResult> SaveAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/agents/{id}/edit")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var answer = await ConsoleForm.AnswerOfAsync(() =>
        {
            var asked = ConsoleForm.Bind<SaveAgentRequest>(form);
            var keepsApiKey = asked.ApiKey is null && !form.ContainsKey("remove_api_key");
            return api.ReplaceAsync(request.Caller(), id, asked, keepsApiKey, ct);
        });
        return FaultsOf(answer) is { } faults
            ? await ShowAsync(request, id, ConsoleForm.ValuesOf(form), faults, 400, ct)
            : SeeOther.After(answer, _ => $"/console/agents/{id}?notice=agent-changed");
    }

    [Function("ConsoleDeleteAgent"), Allow(Roles.Admins), Audited("agent.deleted", KeepsAnswer = false)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/agents/{id}/delete")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        SeeOther.After(await api.DeleteAsync(request, id, ct), _ => "/console/agents?notice=agent-deleted");

    private Task<IResult> ShowAsync(
        HttpRequest request, string? id, Dictionary<string, string> values, Dictionary<string, string[]>? faults,
        int status,
        CancellationToken ct)
    {
        // Secrets are not sent back to the form.
        values.Remove("api_key");
        return pages.ShowAsync<AgentFormPage>(request, id is null ? "Add agent" : "Edit agent", Section, new()
        {
            [nameof(AgentFormPage.Id)] = id,
            [nameof(AgentFormPage.Values)] = values,
            [nameof(AgentFormPage.Errors)] = faults,
        }, ct, status);
    }

    private static Dictionary<string, string> ValuesOf(AgentResource agent) => new()
    {
        ["name"] = agent.Name,
        ["description"] = agent.Description ?? "",
        ["kind"] = agent.Kind,
        ["settings"] = JsonSerializer.Serialize(agent.Settings, Readable),
        ["fallback_agent_ids"] = string.Join(", ", agent.FallbackAgentIds),
    };

    /// <summary>Maps errors within settings and fallbacks to the single form field of each.</summary>
    private static Dictionary<string, string[]>? FaultsOf(IResult answer)
    {
        if (answer is Problem { Code: "agent-name-taken", Detail: var detail })
            return new() { ["name"] = [detail!] };
        return ConsoleForm.FaultsOf(answer)?
            .GroupBy(fault => fault.Key.Split('.', '[')[0])
            .ToDictionary(field => field.Key, field => field.SelectMany(fault => Told(field.Key, fault)).ToArray());
    }

    private static IEnumerable<string> Told(string field, KeyValuePair<string, string[]> fault) =>
        fault.Key == field
            ? fault.Value
            : fault.Value.Select(rule => $"{fault.Key[field.Length..].TrimStart('.')}: {rule}");
}
