using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Agents;

/// <summary>Agents: how an organization's providers are called. Secrets are write-only.</summary>
internal sealed class AgentEndpoints(
    AgentStore store, SaveAgent save, TestAgent test, SettingsRules rules, AuditTrail audit)
{
    [Function("CreateAgent"), Allow(Roles.Admins), Audited("agent.created"), Summary("Create an agent.")]
    [Body(typeof(SaveAgentRequest)), Returns(201, typeof(AgentResource))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/agents")] HttpRequest request,
        CancellationToken ct) =>
        await CreateAsync(request.Caller(), Draft(await RequestBody.ReadJsonAsync(request, ct)), ct);

    internal Task<IResult> CreateAsync(Caller caller, SaveAgentRequest asked, CancellationToken ct) =>
        CreateAsync(caller, asked.ToDraft(rules, keepsApiKey: false), ct);

    private async Task<IResult> CreateAsync(Caller caller, AgentDraft draft, CancellationToken ct)
    {
        var outcome = await save.CreateAsync(caller.Tenant, draft, caller.Principal, ct);
        return outcome is SaveAgent.Outcome.Saved(var agent)
            ? Results.Created($"/api/agents/{agent.Id}", AgentResource.Of(agent))
            : Refusal(outcome, draft);
    }

    [Function("ListAgents"), Allow(Roles.Readers)]
    [Summary("List the organization's agents, newest first, without the built-in ones.")]
    [Query(typeof(AgentListQuery)), Returns(200, typeof(AgentPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/agents")] HttpRequest request,
        CancellationToken ct) =>
        Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<AgentListQuery>(request.Query), ct));

    internal async Task<AgentPage> ListAsync(Caller caller, AgentListQuery query, CancellationToken ct)
    {
        var kind = query.Kind is { } word ? AgentKinds.ByName[word] : (AgentKind?)null;
        var agents = await store.ListAsync(caller.Tenant, kind, query.Name, query.After(), query.Limit + 1, ct);
        var next = query.Next(agents, agent => agent.Id);
        return new AgentPage([.. agents.Select(AgentResource.Of)], next);
    }

    [Function("GetAgent"), Allow(Roles.Readers), Summary("Read an agent: yours by id, a built-in one by name.")]
    [Returns(200, typeof(AgentResource))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/agents/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        if (BuiltInAgents.Find(id) is { } builtIn)
            return Results.Ok(AgentResource.Of(builtIn));
        return Ids.TryParse(id, out var agentId)
            && await store.FindAsync(request.Caller().Tenant, agentId, ct) is { } agent
            ? Results.Ok(AgentResource.Of(agent))
            : Problem.NotFound("agent");
    }

    [Function("ReplaceAgent"), Allow(Roles.Admins), Audited("agent.changed")]
    [Summary("Replace an agent. Secrets that are left out are kept.")]
    [Body(typeof(SaveAgentRequest)), Returns(200, typeof(AgentResource))]
    public async Task<IResult> ReplaceAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "api/agents/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var agentId))
            return NotChangeable(id);
        await NoteAsync(request.Caller(), agentId, ct);
        return await ReplaceAsync(request.Caller(), agentId, Draft(await RequestBody.ReadJsonAsync(request, ct)), ct);
    }

    internal async Task<IResult> ReplaceAsync(
        Caller caller, string id, SaveAgentRequest asked, bool keepsApiKey, CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var agentId))
            return NotChangeable(id);
        await NoteAsync(caller, agentId, ct);
        return await ReplaceAsync(caller, agentId, asked.ToDraft(rules, keepsApiKey), ct);
    }

    [Function("ChangeAgent"), Allow(Roles.Admins), Audited("agent.changed")]
    [Summary("Change some fields of an agent (JSON merge patch, RFC 7396).")]
    [Body(typeof(SaveAgentRequest), ContentType = "application/merge-patch+json"), Returns(200, typeof(AgentResource))]
    public async Task<IResult> ChangeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "api/agents/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var agentId) || await store.FindAsync(caller.Tenant, agentId, ct) is not { } agent)
            return NotChangeable(id);
        audit.Before(AgentResource.Of(agent));
        var patch = await RequestBody.ReadJsonAsync(request, ct);
        if (patch.ValueKind != JsonValueKind.Object)
            return Problem.Validation("body", "Must be an object.");
        return await ReplaceAsync(caller, agentId, Draft(AgentResource.Of(agent).Patched(patch)), ct);
    }

    [Function("DeleteAgent"), Allow(Roles.Admins), Audited("agent.deleted")]
    [Summary("Delete an agent that is no other agent's fallback.")]
    [Returns(204)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "api/agents/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var agentId))
            return NotChangeable(id);
        await NoteAsync(request.Caller(), agentId, ct);
        return await store.DeleteAsync(request.Caller().Tenant, agentId, ct) switch
        {
            null => Problem.NotFound("agent"),
            [] => Results.NoContent(),
            var users => Problem.Conflict("agent-in-use", $"The agent is a fallback of {string.Join(", ", users)}."),
        };
    }

    [Function("TestAgent"), Allow(Roles.Operators), WaitsForOthers]
    [Summary("Call an agent once, for at most 30 seconds, without fallbacks or retries.")]
    [Body(typeof(TestAgentRequest), IsOptional = true), Returns(200, typeof(AgentTestResult))]
    [Returns(
        502, typeof(Problem), ContentType = Problem.ContentType, Description = "The provider failed; type says how.")]
    [Returns(
        504, typeof(Problem), ContentType = Problem.ContentType, Description = "The provider did not answer in time.")]
    public async Task<IResult> TestAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/agents/{id}/test")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        await TestAsync(request.Caller(), id, await RequestBody.ReadOptionalAsync<TestAgentRequest>(request, ct), ct);

    internal async Task<IResult> TestAsync(Caller caller, string id, TestAgentRequest asked, CancellationToken ct) =>
        await test.RunAsync(caller.Tenant, id, asked.Description, asked.Input, ct) switch
        {
            TestAgent.Outcome.Answered answer => Results.Ok(Result(answer)),
            TestAgent.Outcome.Failed(var failure) => Failure(failure),
            _ => Problem.NotFound("agent"),
        };

    private async Task<IResult> ReplaceAsync(Caller caller, Guid id, AgentDraft draft, CancellationToken ct)
    {
        var outcome = await save.ReplaceAsync(caller.Tenant, id, draft, ct);
        return outcome is SaveAgent.Outcome.Saved(var agent)
            ? Results.Ok(AgentResource.Of(agent))
            : Refusal(outcome, draft);
    }

    /// <summary>Records the agent's state before the change, for the audit log.</summary>
    private async Task NoteAsync(Caller caller, Guid id, CancellationToken ct) =>
        audit.Before(await store.FindAsync(caller.Tenant, id, ct) is { } agent ? AgentResource.Of(agent) : null);

    private AgentDraft Draft(JsonElement body) =>
        RequestBinder.Bind<SaveAgentRequest>(body).ToDraft(rules, keepsApiKey: !body.TryGetProperty("api_key", out _));

    private static Problem Refusal(SaveAgent.Outcome outcome, AgentDraft draft) => outcome switch
    {
        SaveAgent.Outcome.NotFound => Problem.NotFound("agent"),
        SaveAgent.Outcome.NameTaken => Problem.Conflict(
            "agent-name-taken", $"An agent named '{draft.Name}' already exists."),
        SaveAgent.Outcome.Invalid(var errors) => Problem.Validation(errors.ToDictionary()),
        _ => Problem.Conflict(
            "agent-changed", "The agent was changed by another request. Read it again.") with
        { RetryAfter = 1 },
    };

    private static Problem NotChangeable(string id) => BuiltInAgents.Find(id) is null
        ? Problem.NotFound("agent")
        : Problem.Conflict("agent-built-in", $"The agent {id} is built in: it cannot be changed or deleted.");

    private static AgentTestResult Result(TestAgent.Outcome.Answered answer) => new(
        answer.Output,
        answer.Truncated,
        (long)answer.Latency.TotalMilliseconds,
        answer.Usage is var (input, output, model) ? new AgentTestUsage(model, input, output, answer.CostUsd) : null,
        answer.FinishReason);

    private static Problem Failure(AgentException failure) => new(
        failure.ErrorClass == ErrorClass.Timeout ? 504 : 502,
        "agent-" + failure.ErrorClass.ToApiName().Replace('_', '-'),
        "The agent failed.",
        failure.Message)
    {
        RetryAfter = failure.RetryAfter is { } wait ? (int)Math.Ceiling(wait.TotalSeconds) : null,
    };
}
