using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Workflows;

/// <summary>Submits a workflow, from a definition or a template: reads, checks, stores and starts it.</summary>
internal sealed class SubmitWorkflow(
    Db db, WorkflowStore store, DefinitionReader reader, AgentDirectory agents, ApproverDirectory approvers,
    WorkflowStarts starts)
{
    public const int MaxInputCharacters = 256 * 1024;

    /// <summary>The checked definition, as it is stored.</summary>
    /// <exception cref="ProblemException">400 with the path of every error.</exception>
    public async Task<string> CheckAsync(
        TenantId tenant, JsonElement? definition, JsonElement? steps, bool rollbackOnCancel, CancellationToken ct)
    {
        if (definition is null && steps is null)
            throw new ProblemException(Problem.Validation("steps", "Give either steps or a definition with steps."));
        if (definition is not null && steps is not null)
            throw new ProblemException(
                Problem.Validation("definition", "Give either steps or a definition with steps, not both."));
        var path = definition is null ? "" : "definition";
        var json = definition?.GetRawText() ?? new JsonObject
        {
            ["steps"] = JsonNode.Parse(steps!.Value.GetRawText()),
            ["rollback_on_cancel"] = rollbackOnCancel,
        }.ToJsonString();
        await CheckAsync(tenant, JsonElement.Parse(json), path, ct);
        return json;
    }

    /// <summary>Checks a definition for this tenant: its agents and named approvers must exist.</summary>
    /// <exception cref="ProblemException">400 with the path of every error.</exception>
    public async Task CheckAsync(TenantId tenant, JsonElement definition, string path, CancellationToken ct)
    {
        var errors = new FieldErrors();
        if (reader.Read(definition, path, errors) is { } read)
        {
            var known = new Dictionary<string, bool>();
            foreach (var (at, agent) in NamesInDefinition.Agents(read))
            {
                if (!known.TryGetValue(agent, out var exists))
                    known[agent] = exists = await agents.ExistsAsync(tenant, agent, ct);
                if (!exists)
                    errors.Add(at, $"There is no agent '{agent}'.");
            }

            var users = NamesInDefinition.Users(read).ToList();
            var unknown = users.Count == 0
                ? null
                : await approvers.UnknownAsync(tenant, [.. users.Select(user => user.Name).Distinct()], ct);
            foreach (var (at, user) in users.Where(user => unknown!.Contains(user.Name)))
                errors.Add(at, $"There is no member or API key '{user}'.");
        }

        errors.ThrowIfAny();
    }

    public async Task<Workflow> StoreAsync(
        DurableTaskClient durable, Caller caller, NewWorkflow workflow, CancellationToken ct)
    {
        await store.AddAsync(caller.Tenant, workflow, ct);
        await db.AfterCommitAsync(token => starts.StartAsync(durable, caller.Tenant, workflow.Id, run: 1, token), ct);
        return (await store.FindAsync(caller.Tenant, workflow.Id, ct))!;
    }

    public static void CheckInput(JsonElement? input, string field)
    {
        if (input is { } json && json.GetRawText().Length > MaxInputCharacters)
            throw new ProblemException(
                Problem.Validation(field, $"Must have at most {MaxInputCharacters:N0} characters of JSON."));
    }
}
