using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Alerts;

/// <summary>Alert rules: what is watched. A new organization has one rule per metric, without actions.</summary>
internal sealed class AlertRuleEndpoints(
    AlertRuleStore store, PreviewRule preview, AgentDirectory agents, AgentStore ownAgents, AuditTrail audit,
    TimeProvider time)
{
    [Function("CreateAlertRule"), Allow(Roles.Admins), Audited("alert_rule.created"), Summary("Create an alert rule.")]
    [Body(typeof(AlertRuleRequest)), Returns(201, typeof(AlertRule))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/alert-rules")]
        HttpRequest request, CancellationToken ct) =>
        await CreateAsync(request.Caller(), await RequestBody.ReadAsync<AlertRuleRequest>(request, ct), ct);

    internal async Task<IResult> CreateAsync(Caller caller, AlertRuleRequest asked, CancellationToken ct)
    {
        var draft = await DraftAsync(caller.Tenant, asked, ct);
        return await store.AddAsync(caller.Tenant, RowId.New(), draft, caller.Principal, ct) is { } added
            ? Results.Created($"/api/alert-rules/{added.Id}", added)
            : Problem.Conflict(
                "too-many-alert-rules", $"The organization has the maximum of {AlertRule.MaxPerTenant} alert rules.");
    }

    [Function("ListAlertRules"), Allow(Roles.Readers), Summary("List alert rules, newest first.")]
    [Query(typeof(AlertRuleListQuery)), Returns(200, typeof(AlertRulePage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/alert-rules")]
        HttpRequest request, CancellationToken ct) =>
        Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<AlertRuleListQuery>(request.Query), ct));

    internal async Task<AlertRulePage> ListAsync(Caller caller, AlertRuleListQuery query, CancellationToken ct)
    {
        var rows = await store.ListAsync(caller.Tenant, query.After(), query.Limit + 1, ct);
        var next = query.Next(rows, row => row.Id);
        return new AlertRulePage(rows, next);
    }

    [Function("GetAlertRule"), Allow(Roles.Readers), Summary("Read an alert rule.")]
    [Returns(200, typeof(AlertRule))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/alert-rules/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var ruleId) && await store.FindAsync(request.Caller().Tenant, ruleId, ct) is { } found
            ? Results.Ok(found)
            : Problem.NotFound("alert rule");

    [Function("ReplaceAlertRule"), Allow(Roles.Admins), Audited("alert_rule.changed")]
    [Summary("Replace an alert rule.")]
    [Body(typeof(AlertRuleRequest)), Returns(200, typeof(AlertRule))]
    public async Task<IResult> ReplaceAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "api/alert-rules/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        await ReplaceAsync(request.Caller().Tenant, id, await RequestBody.ReadAsync<AlertRuleRequest>(request, ct), ct);

    internal async Task<IResult> ReplaceAsync(TenantId tenant, string id, AlertRuleRequest asked, CancellationToken ct)
    {
        var draft = await DraftAsync(tenant, asked, ct);
        if (!Ids.TryParse(id, out var ruleId))
            return Problem.NotFound("alert rule");
        audit.Before(await store.FindAsync(tenant, ruleId, ct));
        return await store.ReplaceAsync(tenant, ruleId, draft, ct) is { } changed
            ? Results.Ok(changed)
            : Problem.NotFound("alert rule");
    }

    [Function("DeleteAlertRule"), Allow(Roles.Admins), Audited("alert_rule.deleted")]
    [Summary("Delete an alert rule. Its open alerts are resolved within two minutes.")]
    [Returns(204)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "api/alert-rules/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var ruleId))
            return Problem.NotFound("alert rule");
        audit.Before(await store.FindAsync(tenant, ruleId, ct));
        return await store.DeleteAsync(tenant, ruleId, ct) ? Results.NoContent() : Problem.NotFound("alert rule");
    }

    [Function("PreviewAlertRule"), Allow(Roles.Readers)]
    [Summary("Preview which alerts a rule would have raised over the stored history. Nothing is stored.")]
    [Body(typeof(AlertRuleRequest)), Query(typeof(PreviewQuery)), Returns(200, typeof(RulePreview))]
    public async Task<IResult> PreviewAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/alert-rules/preview")]
        HttpRequest request, CancellationToken ct)
    {
        var days = RequestBinder.BindQuery<PreviewQuery>(request.Query).Days;
        var asked = await RequestBody.ReadAsync<AlertRuleRequest>(request, ct);
        return Results.Ok(
            await PreviewAsync(request.Caller(), await DraftAsync(request.Caller().Tenant, asked, ct), days, ct));
    }

    internal async Task<RulePreview> PreviewAsync(Caller caller, AlertRuleDraft draft, int days, CancellationToken ct)
    {
        var to = time.GetUtcNow().UtcDateTime;
        var from = to.AddDays(-days);
        return new RulePreview(from, to, await preview.RunAsync(caller.Tenant, draft, from, to, ct));
    }

    /// <exception cref="ProblemException">400: the rule contradicts itself or names an unknown agent.</exception>
    internal async Task<AlertRuleDraft> DraftAsync(TenantId tenant, AlertRuleRequest asked, CancellationToken ct)
    {
        var draft = asked.ToDraft();
        if (draft.AgentId is { } agent && !await agents.ExistsAsync(tenant, agent, ct))
            throw new ProblemException(Problem.Validation("agent_id", $"There is no agent '{agent}'."));
        if (draft.Action == AlertAction.UseFallback
            && await ownAgents.FindAsync(tenant, Guid.Parse(draft.AgentId!), ct) is { FallbackAgentIds: [] })
            throw new ProblemException(
                Problem.Validation("action", "use_fallback requires an agent with fallback_agent_ids."));
        return draft;
    }
}
