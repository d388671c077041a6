using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Alerts;
using ViralEngine.Console.Metrics;
using ViralEngine.Console.Parts;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Alerts;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using AlertPage = ViralEngine.Console.Alerts.AlertPage;

namespace ViralEngine.Functions.Console;

/// <summary>The list of alerts, and an alert with its series.</summary>
internal sealed class AlertPages(
    AlertEndpoints api, AlertStore store, MetricStore metrics, ConsolePages pages, TimeProvider time)
{
    private const string Section = "alerts";
    private const int MaxCharts = 6;
    private static readonly TimeSpan Before = TimeSpan.FromHours(2);
    private static readonly TimeSpan After = TimeSpan.FromMinutes(30);

    [Function("ConsoleAlerts"), Allow(Roles.Readers)]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/alerts")] HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query.Bind<AlertListQuery>(), ct);
        return await pages.ShowAsync<AlertListPage>(request, "Alerts", Section, new()
        {
            [nameof(AlertListPage.Alerts)] = page.Alerts,
            [nameof(AlertListPage.Query)] = query.Values,
            [nameof(AlertListPage.Next)] = page.NextCursor,
        }, ct);
    }

    [Function("ConsoleShowAlert"), Allow(Roles.Readers)]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/alerts/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        ShowAsync(request, id, null, 200, ct);

    [Function("ConsoleAcknowledgeAlert"), Allow(Roles.Operators), Audited("alert.acknowledged", Target = "id")]
    public async Task<IResult> AcknowledgeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/alerts/{id}/acknowledge")]
        HttpRequest request, string id, CancellationToken ct) =>
        SeeOther.After(
            await api.AcknowledgeAsync(request, id, ct), _ => $"/console/alerts/{id}?notice=alert-acknowledged");

    [Function("ConsoleResolveAlert"), Allow(Roles.Operators), Audited("alert.resolved", Target = "id")]
    public async Task<IResult> ResolveAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/alerts/{id}/resolve")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        SeeOther.After(await api.ResolveAsync(request, id, ct), _ => $"/console/alerts/{id}?notice=alert-resolved");

    [Function("ConsoleMuteAlert"), Allow(Roles.Operators), Audited("alert.muted", Target = "id")]
    public async Task<IResult> MuteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/alerts/{id}/mute")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.MuteAsync(request.Caller(), id, ConsoleForm.Bind<MuteAlertRequest>(form), ct));
        return ConsoleForm.FaultsOf(answer) is { } faults
            ? await ShowAsync(request, id, faults, 400, ct)
            : SeeOther.After(answer, _ => $"/console/alerts/{id}?notice=alert-muted");
    }

    private async Task<IResult> ShowAsync(
        HttpRequest request, string id, IReadOnlyDictionary<string, string[]>? faults, int status, CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var alertId) || await store.FindAsync(tenant, alertId, ct) is not { } alert)
            return Problem.NotFound("alert");
        var window = WindowOf(alert);
        var series = new List<(AlertSeries, ChartLine)>();
        foreach (var each in alert.Series.Take(MaxCharts))
        {
            var read = await metrics.ReadAsync(tenant, window with { AgentId = each.AgentId }, ct);
            series.Add((each, MetricLines.Of(each.Metric, window, [.. read.SelectMany(group => group.Points)])));
        }

        return await pages.ShowAsync<AlertPage>(request, "Alert", Section, new()
        {
            [nameof(AlertPage.Alert)] = alert,
            [nameof(AlertPage.Series)] = series,
            [nameof(AlertPage.From)] = window.From,
            [nameof(AlertPage.To)] = window.To,
            [nameof(AlertPage.Errors)] = faults,
        }, ct, status);
    }

    /// <summary>From some time before the alert to some time after it, in steps that fit on a page.</summary>
    private MetricWindow WindowOf(Alert alert)
    {
        var now = time.GetUtcNow().UtcDateTime.AddMinutes(1);
        var (from, to) = (alert.OpenedAt - Before, (alert.ResolvedAt ?? now) + After);
        if (to > now)
            to = now;
        var step = to - from < TimeSpan.FromHours(12) ? MetricStep.Minute
            : to - from < TimeSpan.FromDays(30) ? MetricStep.Hour
            : MetricStep.Day;
        return new MetricWindow(from, to, step, MetricGroup.None, null);
    }
}
