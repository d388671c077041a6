using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Home;
using ViralEngine.Console.Metrics;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Approvals;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Metrics;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Tasks;

namespace ViralEngine.Functions.Console;

/// <summary>The home page: waiting approvals, running work, open alerts, and the last day's metrics.</summary>
internal sealed class HomePages(
    ApprovalEndpoints approvals, TaskEndpoints tasks, BatchEndpoints batches, MetricEndpoints metrics,
    MetricStore series, BudgetEndpoints budgets, AlertStore alerts, ConsolePages pages, TimeProvider time)
{
    private const int MaxRows = 5;

    private static readonly AlertMetric[] Charted =
        [AlertMetric.ErrorRate, AlertMetric.Latency, AlertMetric.Throughput];

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
        var batch = await batches.ListAsync(
            caller, new BatchListQuery { Status = AgentTaskStatus.InProgress, Limit = MaxRows }, ct);
        var summary = await metrics.SummaryAsync(caller, ct);
        var budget = await budgets.ReadAsync(caller, ct);
        return await pages.ShowAsync<HomePage>(request, "Home", "home", new()
        {
            [nameof(HomePage.Numbers)] = new HomeNumbers(
                budget.SpentUsd, budget.MonthlyUsd, summary.LastDay.Finished, summary.LastDay.ErrorRate,
                summary.LastHour.ErrorRate),
            [nameof(HomePage.Gates)] = ApprovalPages.RowsOf(waiting),
            [nameof(HomePage.Running)] = running.Tasks,
            [nameof(HomePage.Batches)] = batch.Batches,
            [nameof(HomePage.Alerts)] = await alerts.ListAsync(caller.Tenant, AlertStatus.Open, null, MaxRows, ct),
            [nameof(HomePage.Charts)] = summary.LastDay.Finished == 0 ? [] : await ChartsAsync(caller.Tenant, ct),
        }, ct);
    }

    private async Task<IReadOnlyList<ExpectedChart>> ChartsAsync(TenantId tenant, CancellationToken ct)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var day = new MetricWindow(now.AddDays(-1), now, MetricStep.Hour, MetricGroup.None, null);
        var read = await series.ReadAsync(tenant, UsualBand.Before(day), ct);
        var newest = await alerts.ListAsync(tenant, null, null, ExpectedChart.MaxAlerts, ct);
        var points = read.SelectMany(each => each.Points).ToList();
        return [.. Charted.Select(metric => ExpectedChart.Of(metric, day, points, newest))];
    }
}
