using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Alerts;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Alerts;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Adds, edits and deletes alert rules, and previews a rule before it is saved.</summary>
internal sealed class AlertRuleFormPages(AlertRuleEndpoints api, AlertRuleStore store, ConsolePages pages)
{
    private const int PreviewDays = 7;

    [Function("ConsoleNewAlertRule"), Allow(Roles.Admins)]
    public Task<IResult> NewAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/alert-rules/new")]
        HttpRequest request,
        CancellationToken ct) =>
        ShowAsync(request, null, [], null, null, 200, ct);

    [Function("ConsoleCreateAlertRule"), Allow(Roles.Admins), Audited("alert_rule.created")]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/alert-rules/new")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.CreateAsync(request.Caller(), ConsoleForm.Bind<AlertRuleRequest>(form), ct));
        return ConsoleForm.FaultsOf(answer) is { } faults
            ? await ShowAsync(request, null, ConsoleForm.ValuesOf(form), faults, null, 400, ct)
            : SeeOther.After(answer, rule => $"/console/alert-rules/{((AlertRule)rule!).Id}?notice=rule-created");
    }

    [Function("ConsoleEditAlertRule"), Allow(Roles.Admins)]
    public async Task<IResult> EditAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/alert-rules/{id}/edit")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var ruleId) && await store.FindAsync(request.Caller().Tenant, ruleId, ct) is { } rule
            ? await ShowAsync(request, id, ValuesOf(rule), null, null, 200, ct)
            : Problem.NotFound("alert rule");

    [Function("ConsoleSaveAlertRule"), Allow(Roles.Admins), Audited("alert_rule.changed")]
    public async Task<IResult> SaveAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/alert-rules/{id}/edit")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.ReplaceAsync(request.Caller().Tenant, id, ConsoleForm.Bind<AlertRuleRequest>(form), ct));
        return ConsoleForm.FaultsOf(answer) is { } faults
            ? await ShowAsync(request, id, ConsoleForm.ValuesOf(form), faults, null, 400, ct)
            : SeeOther.After(answer, _ => $"/console/alert-rules/{id}?notice=rule-changed");
    }

    [Function("ConsoleDeleteAlertRule"), Allow(Roles.Admins), Audited("alert_rule.deleted", KeepsAnswer = false)]
    public async Task<IResult> DeleteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/alert-rules/{id}/delete")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        SeeOther.After(await api.DeleteAsync(request, id, ct), _ => "/console/alert-rules?notice=rule-deleted");

    /// <summary>Shows the form again, with the alerts its rule would have raised. Nothing is stored.</summary>
    [Function("ConsolePreviewAlertRule"), Allow(Roles.Admins)]
    public async Task<IResult> PreviewAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/alert-rules/preview")] HttpRequest request,
        CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var caller = request.Caller();
        var answer = await ConsoleForm.AnswerOfAsync(async () =>
        {
            var draft = await api.DraftAsync(caller.Tenant, ConsoleForm.Bind<AlertRuleRequest>(form), ct);
            return Results.Ok(await api.PreviewAsync(caller, draft, PreviewDays, ct));
        });
        var id = form["rule"].ToString() is { Length: > 0 } rule ? rule : null;
        var faults = ConsoleForm.FaultsOf(answer);
        if (answer is Problem problem && faults is null)
            return problem;
        var preview = (answer as IValueHttpResult)?.Value as RulePreview;
        return await ShowAsync(
            request, id, ConsoleForm.ValuesOf(form), faults, preview?.Alerts, faults is null ? 200 : 400, ct);
    }

    private Task<IResult> ShowAsync(
        HttpRequest request, string? id, Dictionary<string, string> values,
        IReadOnlyDictionary<string, string[]>? faults,
        IReadOnlyList<PreviewedAlert>? preview, int status, CancellationToken ct) =>
        pages.ShowAsync<RuleFormPage>(request, id is null ? "Add rule" : "Edit rule", "alerts", new()
        {
            [nameof(RuleFormPage.Id)] = id,
            [nameof(RuleFormPage.Values)] = values,
            [nameof(RuleFormPage.Errors)] = faults,
            [nameof(RuleFormPage.Days)] = PreviewDays,
            [nameof(RuleFormPage.Preview)] = preview,
        }, ct, status);

    /// <summary>The values as the API shows them, so that the form sends back what it was given.</summary>
    private static Dictionary<string, string> ValuesOf(AlertRule rule) =>
        JsonSerializer.SerializeToElement(rule, ApiJson.Options).EnumerateObject()
            .Where(each => each.Value.ValueKind != JsonValueKind.Null)
            .ToDictionary(
                each => each.Name,
                each =>
                    each.Value.ValueKind == JsonValueKind.String ? each.Value.GetString()! : each.Value.GetRawText());
}
