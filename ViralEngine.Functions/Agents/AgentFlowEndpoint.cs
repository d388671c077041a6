using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Agents;

/// <summary>How fast an agent's provider is called, and what holds its work back.</summary>
internal sealed class AgentFlowEndpoint(AgentFlow flow)
{
    [Function("GetAgentFlow"), Allow(Roles.Readers)]
    [Summary(
        "Read how fast an agent's provider is called, and what holds work back: "
        + "the provider, a limit, the budget or the plan.")]
    [Returns(200, typeof(AgentFlowState))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/agents/{id}/flow")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        return await flow.ReadAsync(caller.Tenant, caller.Plan!, id, ct) is { } state
            ? Results.Ok(state)
            : Problem.NotFound("agent");
    }
}
