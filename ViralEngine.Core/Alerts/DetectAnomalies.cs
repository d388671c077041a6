using Microsoft.Extensions.Logging;
using ViralEngine.Core.Alerts.Detection;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Alerts;

/// <summary>
/// Judges each minute of every watched series once and in order, of all tenants at once, by whichever instance comes
/// first. A minute is one transaction: what was learnt, what was raised and how far it got are stored together or not
/// at all.
/// </summary>
public sealed partial class DetectAnomalies(Db db, MetricRollup rollup, AuditStore audit, TimeProvider time, ILogger<DetectAnomalies> logger)
{
    /// <summary>After its end a minute waits so long for what finished in it.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private const int SeriesAtATime = 2_000;

    private readonly WatchStore store = new(db);
    private readonly AlertCourse course = new(db, audit);

    /// <summary>Judges all minutes that are over. Returns at once when another instance is at it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (await JudgeNextAsync(ct))
        {
        }
    }

    /// <returns>Whether there was a minute to judge.</returns>
    public async Task<bool> JudgeNextAsync(CancellationToken ct)
    {
        await db.BeginAsync(ct);
        try
        {
            var now = time.GetUtcNow().UtcDateTime;
            if (await store.TakeTurnAsync(ct) is not { } minute || minute.AddMinutes(1) + Grace > now)
                return false;
            await rollup.FoldAsync(minute.AddMinutes(1), ct);
            if (now - minute < TimeSpan.FromMinutes(2))
                await rollup.MeasureQueuesAsync(minute, ct);
            await JudgeAsync(minute, ct);
            await store.AdvanceAsync(minute.AddMinutes(1), ct);
            await db.CommitAsync(ct);
            return true;
        }
        finally
        {
            // Whatever was not committed is given up.
            await db.RollbackAsync();
        }
    }

    private async Task JudgeAsync(DateTime minute, CancellationToken ct)
    {
        var rules = await store.RulesAsync(ct);
        var figures = await store.FiguresAsync(minute, ct);
        var open = (await store.OpenSeriesAsync(ct)).ToDictionary(series => (series.Tenant, series.RuleId));

        var watched = rules.Where(each => each.Rule.Mode == AlertMode.Static).ToList();
        foreach (var (tenant, rule) in watched)
        {
            var found = SeriesWatch.Bound(rule, figures.GetValueOrDefault((tenant, rule.AgentId ?? "")), Observation.MinuteOf(minute));
            await StepAsync(tenant, rule, found, open, minute, ct);
        }

        var learnt = rules.Where(each => each.Rule.Mode != AlertMode.Static)
            .ToLookup(each => new SeriesKey(each.Tenant, each.Rule.Metric, each.Rule.AgentId ?? "", each.Rule.Mode));
        foreach (var keys in learnt.Select(series => series.Key).Chunk(SeriesAtATime))
            await JudgeSeriesAsync(keys, learnt, figures, open, minute, ct);

        // Of rules that were deleted or switched off while they had something open.
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
        // A series begins with the first thing that happens in it.
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

        var calm = finding.Score < finding.Threshold / 2 ? series.Calm + 1 : 0;
        if (calm >= AlarmState.CalmPoints)
            await EndAsync(series, minute.AddMinutes(1), ct);
        else
            await store.GoOnAsync(series, calm, finding, AlertWords.Reason(rule.Metric, rule.AgentId ?? "", finding), ct);
    }

    private async Task EndAsync(OpenSeries series, DateTime at, CancellationToken ct)
    {
        if (await store.EndAsync(series, at, ct))
            await course.ResolveAsync(series.Tenant, series.AlertId, "recovery", at, ct);
    }

    [LoggerMessage(1, LogLevel.Warning, "Tenant {Tenant}: rule {Rule} raised an alert for {Metric}: score {Score}, threshold {Threshold}")]
    private static partial void LogOpened(ILogger logger, Guid tenant, Guid rule, AlertMetric metric, double score, double threshold);
}
