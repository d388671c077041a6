using Microsoft.Extensions.Logging;
using ViralEngine.Core.Alerts.Detection;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Alerts;

/// <summary>
/// Evaluates each minute of every watched series of all tenants exactly once and in order, on whichever instance comes
/// first. A minute is one transaction: what was learned, what was raised and the progress are stored together.
/// </summary>
public sealed partial class DetectAnomalies(
    Db db, MetricRollup rollup, AuditStore audit, TimeProvider time, ILogger<DetectAnomalies> logger)
{
    /// <summary>How long after its end a minute waits for late figures.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private const int SeriesAtATime = 2_000;

    private readonly WatchStore store = new(db);
    private readonly AlertCourse course = new(db, audit);

    /// <summary>Evaluates all minutes that have ended. Returns immediately if another instance is doing so.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (await JudgeNextAsync(ct))
        {
        }
    }

    /// <returns>Whether there was a minute to evaluate.</returns>
    public async Task<bool> JudgeNextAsync(CancellationToken ct)
    {
        await db.BeginAsync(ct);
        try
        {
            var now = time.GetUtcNow().UtcDateTime;
            if (await store.TakeTurnAsync(ct) is not { } minute || minute.AddMinutes(1) + Grace > now)
                return false;
            await rollup.FoldAsync(minute.AddMinutes(1), ct);
            var isRecent = now - minute < TimeSpan.FromMinutes(2);
            if (isRecent)
                await rollup.MeasureQueuesAsync(minute, ct);
            await JudgeAsync(minute, isRecent, ct);
            await store.AdvanceAsync(minute.AddMinutes(1), ct);
            await db.CommitAsync(ct);
            return true;
        }
        finally
        {
            // Uncommitted changes are rolled back.
            await db.RollbackAsync();
        }
    }

    private async Task JudgeAsync(DateTime minute, bool queuesMeasured, CancellationToken ct)
    {
        var rules = await store.RulesAsync(ct);
        // How old a queue was in a minute that was not measured is unknown, and not zero.
        var judged = rules.Where(each => queuesMeasured || each.Rule.Metric != AlertMetric.QueueAge).ToList();
        var figures = await store.FiguresAsync(minute, ct);
        var open = (await store.OpenSeriesAsync(ct)).ToDictionary(series => (series.Tenant, series.RuleId));

        foreach (var (tenant, rule) in judged.Where(each => each.Rule.Mode == AlertMode.Static))
        {
            var found = SeriesWatch.Bound(
                rule, figures.GetValueOrDefault((tenant, rule.AgentId ?? "")), Observation.MinuteOf(minute));
            await StepAsync(tenant, rule, found, open, minute, ct);
        }

        var learnt = judged.Where(each => each.Rule.Mode != AlertMode.Static)
            .ToLookup(each => new SeriesKey(each.Tenant, each.Rule.Metric, each.Rule.AgentId ?? "", each.Rule.Mode));
        foreach (var keys in learnt.Select(series => series.Key).Chunk(SeriesAtATime))
            await JudgeSeriesAsync(keys, learnt, figures, open, minute, ct);

        // Series of rules that were deleted or disabled while an alert was open.
        var known = rules.Select(each => (each.Tenant, each.Rule.Id)).ToHashSet();
        foreach (var orphan in open.Values.Where(series => !known.Contains((series.Tenant, series.RuleId))))
            await EndAsync(orphan, minute, ct);
    }

    private async Task JudgeSeriesAsync(
        SeriesKey[] keys,
        ILookup<SeriesKey, (TenantId Tenant, AlertRule Rule)> rules,
        Dictionary<(TenantId Tenant, string Agent), MinuteFigures> figures,
        Dictionary<(TenantId Tenant, Guid RuleId), OpenSeries> open,
        DateTime minute,
        CancellationToken ct)
    {
        var states = await store.StatesAsync(keys, ct);
        // A series starts with its first event.
        var live = keys.Where(key => states.ContainsKey(key) || figures.ContainsKey((key.Tenant, key.Agent))).ToArray();
        var after = new byte[live.Length][];
        for (var i = 0; i < live.Length; i++)
        {
            var key = live[i];
            var watch = SeriesWatch.Open(key.Metric, key.Mode, states.GetValueOrDefault(key));
            watch.Observe(figures.GetValueOrDefault((key.Tenant, key.Agent)), Observation.MinuteOf(minute));
            after[i] = watch.Write();
            foreach (var (tenant, rule) in rules[key])
                await StepAsync(tenant, rule, watch.Find(rule), open, minute, ct);
        }

        if (live.Length > 0)
            await store.WriteStatesAsync(live, after, ct);
    }

    private async Task StepAsync(
        TenantId tenant,
        AlertRule rule,
        SeriesFinding finding,
        Dictionary<(TenantId Tenant, Guid RuleId), OpenSeries> open,
        DateTime minute,
        CancellationToken ct)
    {
        if (!open.TryGetValue((tenant, rule.Id), out var series))
        {
            if (finding.Score >= finding.Threshold && finding.MayOpen && !rule.IsQuiet(minute))
            {
                await course.OpenAsync(tenant, rule, finding, minute.AddMinutes(1), ct);
                LogOpened(logger, tenant.Value, rule.Id, rule.Metric, finding.Score, finding.Threshold);
            }

            return;
        }

        var at = minute.AddMinutes(1);
        var calm = finding.Score < finding.Threshold / 2 ? series.Calm + 1 : 0;
        if (calm >= AlarmState.CalmPoints)
        {
            await EndAsync(series, at, ct);
            return;
        }

        var reason = AlertWords.Reason(rule.Metric, rule.AgentId ?? "", finding);
        var tells = series.Tells(finding.Score, at) && !rule.IsQuiet(minute);
        await store.GoOnAsync(series, calm, finding, reason, tells, ct);
        if (tells)
            await course.WorsenAsync(tenant, series.AlertId, reason, at, ct);
    }

    private async Task EndAsync(OpenSeries series, DateTime at, CancellationToken ct)
    {
        if (await store.EndAsync(series, at, ct))
            await course.ResolveAsync(series.Tenant, series.AlertId, "recovery", at, ct);
    }

    [LoggerMessage(
        1, LogLevel.Warning,
        "Tenant {Tenant}: rule {Rule} raised an alert for {Metric}: score {Score}, threshold {Threshold}")]
    private static partial void LogOpened(
        ILogger logger, Guid tenant, Guid rule, AlertMetric metric, double score, double threshold);
}
