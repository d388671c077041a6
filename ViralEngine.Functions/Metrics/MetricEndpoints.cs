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
        var now = time.GetUtcNow().UtcDateTime;
        var totals = await store.SumAsync(caller.Tenant, now, ct);
        return new MetricsSummary(
            now, FiguresOf(totals.LastHour), FiguresOf(totals.LastDay),
            [.. totals.Agents.Select(agent => new AgentFigures(agent.Group!, FiguresOf(agent.Points[0])))],
            await alerts.CountOpenAsync(caller.Tenant, ct));
    }

    private static MetricFigures FiguresOf(MetricPoint sums) => new(
        sums.Finished, sums.Failed, sums.Retried, sums.ErrorRate, sums.LatencyP50, sums.LatencyP95, sums.LatencyP99,
        sums.TimeToFirstTokenP50, sums.CostUsd, sums.InputTokens, sums.OutputTokens, sums.QueueAgeSeconds);
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

/// <summary>Sums and percentiles over a period.</summary>
/// <param name="Finished">Tasks and batch items that completed or failed.</param>
/// <param name="Retried">Attempts that failed and are retried.</param>
/// <param name="ErrorRate">The share of finished work that failed; null if nothing finished.</param>
/// <param name="LatencyP50">Seconds from the start of the successful attempt, within 2 %; null if nothing
/// completed.</param>
/// <param name="TimeToFirstTokenP50">Seconds from the call to the first piece of the answer, within 2 %; null if
/// there was no answer.</param>
/// <param name="QueueAgeSeconds">The most seconds that the oldest due task had waited; only for the whole
/// organization, and null if none was due.</param>
internal sealed record MetricFigures(
    long Finished,
    long Failed,
    long Retried,
    double? ErrorRate,
    double? LatencyP50,
    double? LatencyP95,
    double? LatencyP99,
    double? TimeToFirstTokenP50,
    decimal CostUsd,
    long InputTokens,
    long OutputTokens,
    double? QueueAgeSeconds);

internal sealed record AgentFigures(string AgentId, MetricFigures LastDay);

internal sealed record MetricsSummary(
    DateTime At, MetricFigures LastHour, MetricFigures LastDay, IReadOnlyList<AgentFigures> Agents, int OpenAlerts);
