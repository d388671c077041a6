using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Home;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Approvals;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Metrics;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Tasks;

namespace ViralEngine.Functions.Console;

/// <summary>The home page: waiting approvals, running tasks, open alerts.</summary>
internal sealed class HomePages(
    ApprovalEndpoints approvals, TaskEndpoints tasks, MetricEndpoints metrics, BudgetEndpoints budgets,
    AlertStore alerts, ConsolePages pages)
{
    private const int MaxRows = 5;

    [Function("ConsoleHome"), Allow(Roles.Readers)]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console")] HttpRequest request,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var waiting = (caller.Role & Roles.Deciders) == 0
            ? new ApprovalPage([], null)
            : await approvals.ListAsync(caller, new ApprovalListQuery { Limit = MaxRows }, ct);
        var running = await tasks.ListAsync(
            caller, new TaskListQuery { Status = AgentTaskStatus.InProgress, Limit = MaxRows }, ct);
        var summary = await metrics.SummaryAsync(caller, ct);
        var budget = await budgets.ReadAsync(caller, ct);
        return await pages.ShowAsync<HomePage>(request, "Home", "home", new()
        {
            [nameof(HomePage.Numbers)] = new HomeNumbers(
                budget.SpentUsd, budget.MonthlyUsd, summary.LastDay.Finished, summary.LastDay.ErrorRate,
                summary.LastHour.ErrorRate),
            [nameof(HomePage.Gates)] = ApprovalPages.RowsOf(waiting),
            [nameof(HomePage.Running)] = running.Tasks,
            [nameof(HomePage.Alerts)] = await alerts.ListAsync(caller.Tenant, AlertStatus.Open, null, MaxRows, ct),
        }, ct);
    }
}
