using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Metrics;

/// <summary>Metrics of the organization's tasks and batch items: by minute, hour or day, and as a summary.</summary>
internal sealed class MetricEndpoints(MetricStore store, AlertStore alerts, TimeProvider time)
{
    [Function("GetMetrics"), Allow(Roles.Readers)]
    [Summary("Read metrics by minute, hour or day: counts, errors, latency, cost, tokens, queue.")]
    [Query(typeof(MetricQuery)), Returns(200, typeof(MetricsResource))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/metrics")]
        HttpRequest request, CancellationToken ct)
    {
        var window = RequestBinder.BindQuery<MetricQuery>(request.Query).ToWindow(time.GetUtcNow().UtcDateTime);
        var series = await store.ReadAsync(request.Caller().Tenant, window, ct);
        return Results.Ok(new MetricsResource(window.Step, window.From, window.To, series));
    }

    [Function("GetMetricsSummary"), Allow(Roles.Readers)]
    [Summary("Read a summary for dashboards: the last hour and day, by agent, and open alerts.")]
    [Returns(200, typeof(MetricsSummary))]
    public async Task<IResult> SummaryAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/metrics/summary")]
        HttpRequest request, CancellationToken ct) =>
        Results.Ok(await SummaryAsync(request.Caller(), ct));

    internal async Task<MetricsSummary> SummaryAsync(Caller caller, CancellationToken ct)
    {
        var tenant = caller.Tenant;
        var now = time.GetUtcNow().UtcDateTime;
        var hour = await OneAsync(MetricStep.Minute, TimeSpan.FromHours(1), MetricGroup.None);
        var day = await OneAsync(MetricStep.Hour, TimeSpan.FromDays(1), MetricGroup.None);
        var agents = await OneAsync(MetricStep.Hour, TimeSpan.FromDays(1), MetricGroup.Agent);
        return new MetricsSummary(
            now, FiguresOf(hour), FiguresOf(day),
            [.. agents.Select(agent => new AgentFigures(agent.Group!, Sum(agent.Points)))],
            await alerts.CountOpenAsync(tenant, ct));

        Task<IReadOnlyList<MetricSeries>> OneAsync(MetricStep step, TimeSpan length, MetricGroup group) =>
            store.ReadAsync(tenant, new MetricWindow(now - length, now.AddMinutes(1), step, group, null), ct);
    }

    private static MetricFigures FiguresOf(IReadOnlyList<MetricSeries> series) =>
        Sum([.. series.SelectMany(each => each.Points)]);

    private static MetricFigures Sum(IReadOnlyList<MetricPoint> points)
    {
        var finished = points.Sum(point => point.Finished);
        var failed = points.Sum(point => point.Failed);
        return new MetricFigures(
            finished, failed, finished == 0 ? null : Math.Round((double)failed / finished, 6),
            points.Sum(point => point.CostUsd),
            points.Sum(point => point.InputTokens), points.Sum(point => point.OutputTokens));
    }
}

internal sealed record MetricQuery
{
    [Description("From this time on; by default a day before to.")]
    public DateTime? From { get; init; }

    [Description("Before this time; by default now.")]
    public DateTime? To { get; init; }

    [Description("The length of a step, UTC.")]
    public MetricStep Step { get; init; } = MetricStep.Hour;

    [Description("Return a series for each of these.")]
    public MetricGroup GroupBy { get; init; }

    [StringLength(100, MinimumLength = 1), Description("Only this agent.")]
    public string? AgentId { get; init; }

    public MetricWindow ToWindow(DateTime now)
    {
        var to = To ?? now.AddMinutes(1);
        var window = new MetricWindow(From ?? to.AddDays(-1), to, Step, GroupBy, AgentId);
        if (window.From >= window.To)
            throw new ProblemException(Problem.Validation("from", "Must be before to."));
        if (window.Steps > MetricWindow.MaxSteps)
            throw new ProblemException(
                Problem.Validation("step", $"The window must have at most {MetricWindow.MaxSteps:N0} steps."));
        return window;
    }
}

internal sealed record MetricsResource(MetricStep Step, DateTime From, DateTime To, IReadOnlyList<MetricSeries> Series);

/// <summary>Sums over a period.</summary>
/// <param name="ErrorRate">The share of finished work that failed; null if nothing finished.</param>
internal sealed record MetricFigures(
    long Finished, long Failed, double? ErrorRate, decimal CostUsd, long InputTokens, long OutputTokens);

internal sealed record AgentFigures(string AgentId, MetricFigures LastDay);

internal sealed record MetricsSummary(
    DateTime At, MetricFigures LastHour, MetricFigures LastDay, IReadOnlyList<AgentFigures> Agents, int OpenAlerts);
