using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Agents;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using AgentPage = ViralEngine.Console.Agents.AgentPage;

namespace ViralEngine.Functions.Console;

/// <summary>The list of agents, and an agent with its flow, breaker and test call.</summary>
internal sealed class AgentPages(
    AgentEndpoints api, AgentStore store, AgentFlow flow, AgentBreaker breaker, ConsolePages pages)
{
    private const string Section = "agents";

    [Function("ConsoleAgents"), Allow(Roles.Readers)]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/agents")] HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query.Bind<AgentListQuery>(), ct);
        // Built-in agents are listed below the organization's own.
        var builtIn = page.NextCursor is not null || query.Values.ContainsKey("name")
            ? []
            : new[] { BuiltInAgents.Echo, BuiltInAgents.Http }.Select(
                name => AgentResource.Of(BuiltInAgents.Find(name)!))
                .Where(agent => query.Values.GetValueOrDefault("kind") is not { } kind || kind == agent.Kind);
        return await pages.ShowAsync<AgentListPage>(request, "Agents", Section, new()
        {
            [nameof(AgentListPage.Agents)] = (IReadOnlyList<AgentView>)[.. page.Agents.Concat(builtIn).Select(ViewOf)],
            [nameof(AgentListPage.Query)] = query.Values,
            [nameof(AgentListPage.Next)] = page.NextCursor,
        }, ct);
    }

    [Function("ConsoleShowAgent"), Allow(Roles.Readers)]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/agents/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        ShowAsync(request, id, new Dictionary<string, string>(), null, null, 200, ct);

    [Function("ConsoleTestAgent"), Allow(Roles.Operators), WaitsForOthers]
    public async Task<IResult> TestAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/agents/{id}/test")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.TestAsync(request.Caller(), id, ConsoleForm.Bind<TestAgentRequest>(form), ct));
        var values = ConsoleForm.ValuesOf(form);
        return answer switch
        {
            Problem { Errors: { } faults } => await ShowAsync(request, id, values, faults, null, 400, ct),
            Problem { Status: 502 or 504 } failure => await ShowAsync(
                request, id, values, null, Failed(failure), failure.Status, ct),
            Problem problem => problem,
            IValueHttpResult { Value: AgentTestResult result } => await ShowAsync(
                request, id, values, null, Answered(result), 200, ct),
            _ => throw new InvalidOperationException($"A test answered {answer}."),
        };
    }

    private async Task<IResult> ShowAsync(
        HttpRequest request, string id, Dictionary<string, string> values,
        IReadOnlyDictionary<string, string[]>? faults,
        AgentTestView? test, int status, CancellationToken ct)
    {
        var caller = request.Caller();
        if (await FindAsync(caller, id, ct) is not { } agent
            || await flow.ReadAsync(caller.Tenant, caller.Plan!, id, ct) is not { } state)
            return Problem.NotFound("agent");
        return await pages.ShowAsync<AgentPage>(request, agent.Name, Section, new()
        {
            [nameof(AgentPage.Agent)] = agent,
            [nameof(AgentPage.Flow)] = state,
            [nameof(AgentPage.Breaker)] = await breaker.ReadAsync(caller.Tenant, id, ct),
            [nameof(AgentPage.Test)] = test,
            [nameof(AgentPage.Values)] = values,
            [nameof(AgentPage.Errors)] = faults,
        }, ct, status);
    }

    private async Task<AgentView?> FindAsync(Caller caller, string id, CancellationToken ct)
    {
        if (BuiltInAgents.Find(id) is { } builtIn)
            return ViewOf(AgentResource.Of(builtIn));
        return Ids.TryParse(id, out var agentId) && await store.FindAsync(caller.Tenant, agentId, ct) is { } agent
            ? ViewOf(AgentResource.Of(agent))
            : null;
    }

    private static AgentView ViewOf(AgentResource agent) => new(
        agent.Id, agent.Name, agent.Description, agent.Kind, agent.BuiltIn, agent.Settings,
        agent.ApiKeySet ? agent.ApiKeyHint is { } end ? $"ends in {end}" : "set" : null,
        agent.SecretHeaderNames, agent.FallbackAgentIds, agent.CreatedBy, agent.CreatedAt, agent.UpdatedAt);

    private static AgentTestView Answered(AgentTestResult result) => new(
        result.Output, result.Truncated, TimeSpan.FromMilliseconds(result.LatencyMs), result.Usage?.Model,
        result.Usage?.InputTokens,
        result.Usage?.OutputTokens, result.Usage?.CostUsd, result.FinishReason, null);

    private static AgentTestView Failed(Problem failure) =>
        new(null, false, TimeSpan.Zero, null, null, null, null, null, failure.Detail ?? failure.Title);
}
