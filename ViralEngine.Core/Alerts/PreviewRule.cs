using ViralEngine.Core.Alerts.Detection;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Alerts;

/// <summary>
/// A dry run: the alerts a rule would have raised over the stored history, learning from its beginning.
/// </summary>
public sealed class PreviewRule(Db db)
{
    private readonly WatchStore store = new(db);

    public async Task<IReadOnlyList<PreviewedAlert>> RunAsync(
        TenantId tenant, AlertRuleDraft draft, DateTime from, DateTime to, CancellationToken ct)
    {
        var rule = draft.ToRule();
        var history = await store.HistoryAsync(tenant, rule.AgentId, from, to, ct);
        var alerts = new List<PreviewedAlert>();
        if (history.Count == 0)
            return alerts;

        var watch = rule.Mode == AlertMode.Static ? null : SeriesWatch.Open(rule.Metric, rule.Mode, null);
        var figures = history.ToDictionary(row => row.At, row => row.Figures);
        PreviewedAlert? open = null;
        var (calm, highest) = (0, 0.0);
        for (var minute = history[0].At; minute < to; minute = minute.AddMinutes(1))
        {
            var now = figures.GetValueOrDefault(minute);
            watch?.Observe(now, Observation.MinuteOf(minute));
            var finding = watch?.Find(rule) ?? SeriesWatch.Bound(rule, now, Observation.MinuteOf(minute));
            if (open is null)
            {
                if (finding.Score < finding.Threshold || !finding.MayOpen || rule.IsQuiet(minute))
                    continue;
                (calm, highest) = (0, finding.Score);
                open = new PreviewedAlert(
                    minute.AddMinutes(1), null, AlertWords.Reason(rule.Metric, rule.AgentId ?? "", finding));
                continue;
            }

            if (finding.Score > highest)
            {
                highest = finding.Score;
                open = open with { Reason = AlertWords.Reason(rule.Metric, rule.AgentId ?? "", finding) };
            }

            calm = finding.Score < finding.Threshold / 2 ? calm + 1 : 0;
            if (calm < AlarmState.CalmPoints)
                continue;
            alerts.Add(open with { ResolvedAt = minute.AddMinutes(1) });
            open = null;
        }

        if (open is not null)
            alerts.Add(open);
        return alerts;
    }
}

/// <param name="ResolvedAt">Null if it would still be open.</param>
public sealed record PreviewedAlert(DateTime OpenedAt, DateTime? ResolvedAt, string Reason);
