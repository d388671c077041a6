using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Alerts;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Alerts;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>The list of alert rules, and a rule with its preview.</summary>
internal sealed class AlertRulePages(AlertRuleEndpoints api, AlertRuleStore store, ConsolePages pages)
{
    private const string Section = "alerts";
    private const int UsualDays = 7;

    [Function("ConsoleAlertRules"), Allow(Roles.Readers)]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/alert-rules")] HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query.Bind<AlertRuleListQuery>(), ct);
        return await pages.ShowAsync<RuleListPage>(request, "Alert rules", Section, new()
        {
            [nameof(RuleListPage.Rules)] = page.AlertRules,
            [nameof(RuleListPage.Query)] = query.Values,
            [nameof(RuleListPage.Next)] = page.NextCursor,
        }, ct);
    }

    /// <summary>With <c>days</c> in the query, previews the rule over the history.</summary>
    [Function("ConsoleShowAlertRule"), Allow(Roles.Readers)]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/alert-rules/{id}")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var ruleId) || await store.FindAsync(caller.Tenant, ruleId, ct) is not { } rule)
            return Problem.NotFound("alert rule");
        var query = ConsoleQuery.Of(request);
        var isAsked = query.Values.ContainsKey("days");
        var days = isAsked ? query.Bind<PreviewQuery>().Days : UsualDays;
        return await pages.ShowAsync<RulePage>(request, "Alert rule", Section, new()
        {
            [nameof(RulePage.Rule)] = rule,
            [nameof(RulePage.Days)] = days,
            [nameof(RulePage.Preview)] = isAsked
                ? (await api.PreviewAsync(caller, DraftOf(rule), days, ct)).Alerts
                : null,
        }, ct);
    }

    private static AlertRuleDraft DraftOf(AlertRule rule) => new(
        rule.Name, rule.Metric, rule.AgentId, rule.Mode, rule.Direction, rule.FalseAlarmsPerMonth, rule.LeastVolume,
        rule.BoundAbove,
        rule.BoundBelow, TimeOf(rule.QuietFrom), TimeOf(rule.QuietTo), rule.TimeZone, rule.Action, rule.Enabled);

    private static TimeOnly? TimeOf(string? text) =>
        text is null ? null : TimeOnly.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
