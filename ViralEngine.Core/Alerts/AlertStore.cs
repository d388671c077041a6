using Npgsql;
using ViralEngine.Core.Alerts.Detection;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Alerts;

/// <summary>A tenant's alerts in PostgreSQL.</summary>
public sealed class AlertStore(Db db, AlertCourse course, TimeProvider time)
{
    private static readonly TimeSpan Before = TimeSpan.FromHours(1);
    private static readonly TimeSpan After = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan NotYetFolded = TimeSpan.FromMinutes(2);

    /// <summary>A longer alert shows only its beginning.</summary>
    private static readonly TimeSpan MaxShown = TimeSpan.FromHours(12);

    private const string Columns =
        """
        id, status, summary, opened_at, updated_at, resolved_at, resolved_by, muted_until, acknowledged_at,
        acknowledged_by
        """;

    public async Task<Alert?> FindAsync(TenantId tenant, Guid id, CancellationToken ct)
    {
        var found = await db.QueryOneAsync(
            tenant,
            $"SELECT {Columns} FROM viral.alerts WHERE tenant_id = $1 AND id = $2",
            [tenant.Value, id],
            Read,
            ct);
        if (found is null)
            return null;
        var series = (await SeriesAsync(tenant, [id], ct))[id].ToArray();
        for (var i = 0; i < series.Length; i++)
            series[i] = series[i] with { Points = await AroundAsync(tenant, series[i], ct) };
        return found with { Series = series };
    }

    /// <summary>Newest first. <paramref name="before"/> is the id of the last alert of the page before.</summary>
    public async Task<List<Alert>> ListAsync(
        TenantId tenant, AlertStatus? status, Guid? before, int limit, CancellationToken ct)
    {
        var found = await db.QueryListAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.alerts
            WHERE tenant_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::uuid IS NULL OR id < $3)
            ORDER BY id DESC
            LIMIT $4
            """,
            [tenant.Value, status is { } word ? AlertWords.Of(word) : null, before, limit],
            Read,
            ct);
        var series = await SeriesAsync(tenant, [.. found.Select(alert => alert.Id)], ct);
        return [.. found.Select(alert => alert with { Series = [.. series[alert.Id]] })];
    }

    public async Task<int> CountOpenAsync(TenantId tenant, CancellationToken ct) => await db.QueryOneAsync(
        tenant,
        "SELECT count(*)::integer FROM viral.alerts WHERE tenant_id = $1 AND status = 'open'",
        [tenant.Value],
        row => row.GetInt32(0),
        ct);

    /// <summary>Resolves an open alert and undoes its actions. False if there is no such open alert.</summary>
    public async Task<bool> ResolveAsync(TenantId tenant, Guid id, string by, DateTime at, CancellationToken ct)
    {
        await db.BeginAsync(ct);
        var resolved = await course.ResolveAsync(tenant, id, by, at, ct);
        await db.CommitAsync(ct);
        return resolved;
    }

    /// <summary>
    /// Acknowledges an open alert; the first acknowledgement stays. False if there is no such open alert.
    /// </summary>
    public async Task<bool> AcknowledgeAsync(
        TenantId tenant, Guid id, string by, DateTime at, CancellationToken ct) =>
        await db.ExecuteAsync(
            tenant,
            """
            UPDATE viral.alerts
            SET acknowledged_at = COALESCE(acknowledged_at, $4), acknowledged_by = COALESCE(acknowledged_by, $3),
                updated_at = CASE WHEN acknowledged_at IS NULL THEN $4 ELSE updated_at END
            WHERE tenant_id = $1 AND id = $2 AND status = 'open'
            """,
            [tenant.Value, id, by, at],
            ct) > 0;

    /// <summary>Mutes an open alert until a time.</summary>
    public async Task<bool> MuteAsync(TenantId tenant, Guid id, DateTime until, CancellationToken ct) =>
        await db.ExecuteAsync(
            tenant,
            "UPDATE viral.alerts SET muted_until = $3, updated_at = now() "
            + "WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
            [tenant.Value, id, until],
            ct) > 0;

    /// <summary>What the detector saw, minute by minute. Empty if those minutes are no longer kept.</summary>
    private async Task<IReadOnlyList<AlertPoint>> AroundAsync(TenantId tenant, AlertSeries series, CancellationToken ct)
    {
        var from = series.OpenedAt - Before;
        var end = series.EndedAt is { } ended ? ended + After : DateTime.MaxValue;
        var to = new[] { end, from + MaxShown, time.GetUtcNow().UtcDateTime - NotYetFolded }.Min();
        var figures = (await new WatchStore(db).HistoryAsync(tenant, series.AgentId, from, to, ct))
            .ToDictionary(row => row.At, row => row.Figures);
        var points = new List<AlertPoint>();
        for (var at = from; at < to; at = at.AddMinutes(1))
        {
            var point = figures.GetValueOrDefault(at).ToPlain(series.Metric, Observation.MinuteOf(at));
            points.Add(new AlertPoint(at, point.Weight > 0 ? point.Value : null));
        }

        return figures.Count == 0 ? [] : points;
    }

    private async Task<ILookup<Guid, AlertSeries>> SeriesAsync(TenantId tenant, Guid[] alerts, CancellationToken ct) =>
        (await db.QueryAsync(
            tenant,
            """
            SELECT alert_id, rule_id, metric, agent_id, action, opened_at, ended_at, direction, actual, expected, low,
                   high, score, threshold, volume, reason
            FROM viral.alert_series
            WHERE tenant_id = $1 AND alert_id = ANY ($2)
            ORDER BY opened_at, metric
            """,
            [tenant.Value, alerts],
            row => (Alert: row.GetGuid(0), Series: new AlertSeries(
                row.GetGuid(1),
                AlertWords.Parse<AlertMetric>(row.GetString(2)),
                row.GetString(3) is { Length: > 0 } agent ? agent : null,
                row.IsDBNull(4) ? null : AlertWords.Parse<AlertAction>(row.GetString(4)),
                row.GetDateTime(5),
                row.GetDateTimeOrNull(6),
                AlertWords.Parse<AlertDirection>(row.GetString(7)),
                row.GetDouble(8),
                row.GetDouble(9),
                row.GetDouble(10),
                row.GetDouble(11),
                row.GetDouble(12),
                row.GetDouble(13),
                row.GetDouble(14),
                row.GetString(15))),
            ct)).ToLookup(row => row.Alert, row => row.Series);

    private static Alert Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        AlertWords.Parse<AlertStatus>(row.GetString(1)),
        row.GetString(2),
        row.GetDateTime(3),
        row.GetDateTime(4),
        row.GetDateTimeOrNull(5),
        row.GetStringOrNull(6),
        row.GetDateTimeOrNull(7),
        row.GetDateTimeOrNull(8),
        row.GetStringOrNull(9),
        []);
}
