using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Limits;

/// <summary>Monthly budgets of an organization: in total and per agent.</summary>
internal sealed class BudgetEndpoints(BudgetStore store, AgentDirectory agents, AuditTrail audit, TimeProvider time)
{
    [Function("GetBudget"), Allow(Roles.Readers), Summary("Read the budgets and this month's spending.")]
    [Returns(200, typeof(BudgetResource))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/organizations/{id}/budget")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        return caller.IsOf(id) ? Results.Ok(await ReadAsync(caller, ct)) : Problem.NotFound("organization");
    }

    [Function("ReplaceBudget"), Allow(Roles.Admins), Audited("budget.changed")]
    [Summary("Replace the budgets: those left out are removed.")]
    [Body(typeof(SetBudgetRequest)), Returns(200, typeof(BudgetResource))]
    public async Task<IResult> SetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "api/organizations/{id}/budget")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        return caller.IsOf(id)
            ? await SetAsync(caller, await RequestBody.ReadAsync<SetBudgetRequest>(request, ct), ct)
            : Problem.NotFound("organization");
    }

    internal async Task<IResult> SetAsync(Caller caller, SetBudgetRequest asked, CancellationToken ct)
    {
        var budgets = await CheckAsync(caller, asked, ct);
        audit.Before(await ReadAsync(caller, ct));
        await store.ReplaceAsync(caller.Tenant, budgets, ct);
        return Results.Ok(await ReadAsync(caller, ct));
    }

    private async Task<Dictionary<string, decimal>> CheckAsync(
        Caller caller, SetBudgetRequest asked, CancellationToken ct)
    {
        var budgets = new Dictionary<string, decimal>();
        if (asked.MonthlyUsd is { } whole)
            budgets[BudgetStore.Everything] = whole;
        var errors = new FieldErrors();
        for (var i = 0; i < asked.Agents.Length; i++)
        {
            var agent = asked.Agents[i];
            if (!await agents.ExistsAsync(caller.Tenant, agent.AgentId, ct))
                errors.Add($"agents[{i}].agent_id", $"There is no agent '{agent.AgentId}'.");
            else if (!budgets.TryAdd(agent.AgentId, agent.MonthlyUsd))
                errors.Add($"agents[{i}].agent_id", "Must be unique.");
        }

        errors.ThrowIfAny();
        return budgets;
    }

    internal async Task<BudgetResource> ReadAsync(Caller caller, CancellationToken ct)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var month = new DateOnly(now.Year, now.Month, 1);
        var lines = await store.ListAsync(caller.Tenant, month, ct);
        var whole = lines.Find(line => line.AgentId == BudgetStore.Everything);
        return new BudgetResource(
            month.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture),
            whole?.MonthlyUsd,
            whole?.SpentUsd ?? 0,
            whole?.ReservedUsd ?? 0,
            [.. lines.Where(line => line.AgentId != BudgetStore.Everything)]);
    }
}

internal sealed record SetBudgetRequest
{
    public const double MaxUsd = 1_000_000_000;

    [Range(0.0, MaxUsd)]
    [Description("US dollars that the organization may spend per calendar month (UTC). No budget if omitted.")]
    public decimal? MonthlyUsd { get; init; }

    [MaxLength(1000, ErrorMessage = "Must have at most 1,000 agents.")]
    public AgentBudgetRequest[] Agents { get; init; } = [];
}

internal sealed record AgentBudgetRequest
{
    [Required, StringLength(100, MinimumLength = 1)]
    public string AgentId { get; init; } = "";

    [Required, Range(0.0, SetBudgetRequest.MaxUsd)]
    public decimal MonthlyUsd { get; init; }
}

/// <param name="Month">The calendar month, UTC: <c>2030-01</c>.</param>
internal sealed record BudgetResource(
    string Month, decimal? MonthlyUsd, decimal SpentUsd, decimal ReservedUsd, IReadOnlyList<BudgetLine> Agents);
