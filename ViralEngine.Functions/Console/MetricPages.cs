using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Metrics;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Metrics;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Metrics of tasks and batch items, as charts.</summary>
internal sealed class MetricPages(
    MetricEndpoints api, MetricStore store, AlertStore alerts, ConsolePages pages, TimeProvider time)
{
    [Function("ConsoleMetrics"), Allow(Roles.Readers)]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/metrics")] HttpRequest request,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var query = ConsoleQuery.Of(request);
        // Charts have one series; the table below groups by agent.
        var window = query.Bind<MetricQuery>().ToWindow(time.GetUtcNow().UtcDateTime) with { Group = MetricGroup.None };
        var series = await store.ReadAsync(caller.Tenant, window, ct);
        var history = window.Step == MetricStep.Hour
            ? await store.ReadAsync(caller.Tenant, UsualBand.Before(window), ct)
            : [];
        var summary = await api.SummaryAsync(caller, ct);
        return await pages.ShowAsync<MetricsPage>(request, "Metrics", "metrics", new()
        {
            [nameof(MetricsPage.Numbers)] = new MetricsNumbers(
                NumbersOf(summary.LastHour), NumbersOf(summary.LastDay),
                [.. summary.Agents.Select(agent => (agent.AgentId, NumbersOf(agent.LastDay)))], summary.OpenAlerts),
            [nameof(MetricsPage.Window)] = window,
            [nameof(MetricsPage.Points)] = (IReadOnlyList<MetricPoint>)[.. series.SelectMany(each => each.Points)],
            [nameof(MetricsPage.History)] = (IReadOnlyList<MetricPoint>)[.. history.SelectMany(each => each.Points)],
            [nameof(MetricsPage.Alerts)] = await alerts.ListAsync(
                caller.Tenant, null, null, ExpectedChart.MaxAlerts, ct),
            [nameof(MetricsPage.Query)] = query.Values,
        }, ct);
    }

    private static StretchNumbers NumbersOf(MetricFigures figures) =>
        new(figures.Finished, figures.ErrorRate, figures.CostUsd, figures.InputTokens, figures.OutputTokens);
}
