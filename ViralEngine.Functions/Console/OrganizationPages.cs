using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Organization;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using OrganizationPage = ViralEngine.Console.Organization.OrganizationPage;

namespace ViralEngine.Functions.Console;

/// <summary>The organization's usage, budgets and audit log.</summary>
internal sealed class OrganizationPages(
    OrganizationEndpoints api, BudgetEndpoints budgets, AuditEndpoints audit, AuditTrail trail, ConsolePages pages)
{
    private const string Section = "organization";

    [Function("ConsoleOrganization"), Allow(Roles.Readers)]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/organization")] HttpRequest request,
        CancellationToken ct) =>
        ShowAsync(request, [], null, 200, ct);

    [Function("ConsoleSetBudget"), Allow(Roles.Admins), Audited("budget.changed")]
    public async Task<IResult> SetBudgetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/organization/budget")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var caller = request.Caller();
        trail.Target = caller.Tenant.Value.ToString();
        var answer = await ConsoleForm.AnswerOfAsync(
            async () => await budgets.SetAsync(caller, await AskedAsync(caller, form, ct), ct));
        return ConsoleForm.FaultsOf(answer) is { } faults
            ? await ShowAsync(request, ConsoleForm.ValuesOf(form), faults, 400, ct)
            : SeeOther.After(answer, _ => "/console/organization?notice=budget-set");
    }

    [Function("ConsoleAuditLog"), Allow(Roles.Admins)]
    public async Task<IResult> AuditLogAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/audit-log")] HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        var page = await audit.ListAsync(request.Caller(), query.Bind<AuditListQuery>(), ct);
        return await pages.ShowAsync<AuditLogPage>(request, "Audit log", Section, new()
        {
            [nameof(AuditLogPage.Entries)] = page.Entries,
            [nameof(AuditLogPage.Query)] = query.Values,
            [nameof(AuditLogPage.Next)] = page.NextCursor,
        }, ct);
    }

    /// <summary>
    /// The organization's new budget with the agents' current ones, because the API replaces them together.
    /// </summary>
    private async Task<SetBudgetRequest> AskedAsync(Caller caller, IFormCollection form, CancellationToken ct)
    {
        var now = await budgets.ReadAsync(caller, ct);
        var agents = now.Agents.Where(line => line.MonthlyUsd is not null).Select(line => (JsonNode)new JsonObject
        {
            ["agent_id"] = line.AgentId,
            ["monthly_usd"] = line.MonthlyUsd,
        });
        var body = new JsonObject { ["agents"] = new JsonArray([.. agents]) };
        if (form["monthly_usd"].ToString().Trim() is { Length: > 0 } text)
        {
            body["monthly_usd"] = decimal.TryParse(
                text, System.Globalization.NumberStyles.Number, System.Globalization.CultureInfo.InvariantCulture,
                out var usd)
                ? usd
                : text;
        }

        return RequestBinder.Bind<SetBudgetRequest>(JsonSerializer.SerializeToElement(body));
    }

    private async Task<IResult> ShowAsync(
        HttpRequest request, Dictionary<string, string> values, IReadOnlyDictionary<string, string[]>? faults,
        int status, CancellationToken ct)
    {
        var caller = request.Caller();
        if (await api.ReadAsync(caller, caller.Tenant.Value, ct) is not { } found)
            return Problem.NotFound("organization");
        var budget = await budgets.ReadAsync(caller, ct);
        return await pages.ShowAsync<OrganizationPage>(request, "Organization", Section, new()
        {
            [nameof(OrganizationPage.Of)] = new OrganizationView(
                new Organization(found.Id, found.Name, found.Plan, found.CreatedAt, found.UpdatedAt), found.Usage,
                found.Limits.RequestsPerSecond, found.Limits.TasksPerMonth, found.Limits.ConcurrentTasks,
                found.Limits.Members,
                new BudgetView(budget.Month, budget.MonthlyUsd, budget.SpentUsd, budget.ReservedUsd, budget.Agents)),
            [nameof(OrganizationPage.Values)] = values,
            [nameof(OrganizationPage.Errors)] = faults,
        }, ct, status);
    }
}
