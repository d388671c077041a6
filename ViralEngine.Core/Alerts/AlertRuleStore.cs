using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Alerts;

/// <summary>Alert rules in PostgreSQL.</summary>
public sealed class AlertRuleStore(Db db)
{
    internal const string Columns =
        """
        id, name, metric, agent_id, mode, direction, false_alarms_per_month, least_volume, bound_above, bound_below,
        quiet_from, quiet_to, time_zone, action, enabled, created_by, created_at, updated_at
        """;

    public Task<AlertRule?> FindAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"SELECT {Columns} FROM viral.alert_rules WHERE tenant_id = $1 AND id = $2",
            [tenant.Value, id],
            row => Read(row, 0),
            ct);

    /// <summary>Newest first. <paramref name="before"/> is the id of the last rule of the page before.</summary>
    public Task<List<AlertRule>> ListAsync(TenantId tenant, Guid? before, int limit, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.alert_rules
            WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
            ORDER BY id DESC
            LIMIT $3
            """,
            [tenant.Value, before, limit],
            row => Read(row, 0),
            ct);

    /// <summary>Null if the organization has the maximum number of rules.</summary>
    public Task<AlertRule?> AddAsync(
        TenantId tenant, Guid id, AlertRuleDraft rule, string createdBy, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            INSERT INTO viral.alert_rules (
                tenant_id, id, name, metric, agent_id, mode, direction, false_alarms_per_month, least_volume,
                bound_above, bound_below, quiet_from, quiet_to, time_zone, action, enabled, created_by)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17
            WHERE (SELECT count(*) FROM viral.alert_rules WHERE tenant_id = $1) < $18
            RETURNING {Columns}
            """,
            [tenant.Value, id, .. Values(rule), createdBy, AlertRule.MaxPerTenant],
            row => Read(row, 0),
            ct);

    public Task<AlertRule?> ReplaceAsync(TenantId tenant, Guid id, AlertRuleDraft rule, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            UPDATE viral.alert_rules
            SET name = $3, metric = $4, agent_id = $5, mode = $6, direction = $7, false_alarms_per_month = $8,
                least_volume = $9,
                bound_above = $10, bound_below = $11, quiet_from = $12, quiet_to = $13, time_zone = $14, action = $15,
                enabled = $16,
                updated_at = now()
            WHERE tenant_id = $1 AND id = $2
            RETURNING {Columns}
            """,
            [tenant.Value, id, .. Values(rule)],
            row => Read(row, 0),
            ct);

    public async Task<bool> DeleteAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        await db.ExecuteAsync(
            tenant, "DELETE FROM viral.alert_rules WHERE tenant_id = $1 AND id = $2", [tenant.Value, id], ct) > 0;

    internal static AlertRule Read(NpgsqlDataReader row, int at) => new(
        row.GetGuid(at),
        row.GetString(at + 1),
        AlertWords.Parse<AlertMetric>(row.GetString(at + 2)),
        row.GetString(at + 3) is { Length: > 0 } agent ? agent : null,
        AlertWords.Parse<AlertMode>(row.GetString(at + 4)),
        AlertWords.Parse<AlertDirection>(row.GetString(at + 5)),
        row.GetDouble(at + 6),
        row.GetInt32(at + 7),
        row.GetDoubleOrNull(at + 8),
        row.GetDoubleOrNull(at + 9),
        row.IsDBNull(at + 10) ? null : AlertRule.Text(row.GetFieldValue<TimeOnly>(at + 10)),
        row.IsDBNull(at + 11) ? null : AlertRule.Text(row.GetFieldValue<TimeOnly>(at + 11)),
        row.GetString(at + 12),
        row.IsDBNull(at + 13) ? null : AlertWords.Parse<AlertAction>(row.GetString(at + 13)),
        row.GetBoolean(at + 14),
        row.GetString(at + 15),
        row.GetDateTime(at + 16),
        row.GetDateTime(at + 17));

    private static object?[] Values(AlertRuleDraft rule) =>
    [
        rule.Name, AlertWords.Of(rule.Metric), rule.AgentId ?? "", AlertWords.Of(rule.Mode),
        AlertWords.Of(rule.Direction), rule.FalseAlarmsPerMonth, rule.LeastVolume, rule.BoundAbove, rule.BoundBelow,
        rule.QuietFrom, rule.QuietTo, rule.TimeZone, rule.Action is { } action ? AlertWords.Of(action) : null,
        rule.Enabled,
    ];
}

/// <summary>A checked request for a rule.</summary>
public sealed record AlertRuleDraft(
    string Name,
    AlertMetric Metric,
    string? AgentId,
    AlertMode Mode,
    AlertDirection Direction,
    double FalseAlarmsPerMonth,
    int LeastVolume,
    double? BoundAbove,
    double? BoundBelow,
    TimeOnly? QuietFrom,
    TimeOnly? QuietTo,
    string TimeZone,
    AlertAction? Action,
    bool Enabled)
{
    internal AlertRule ToRule() => new(
        Guid.Empty, Name, Metric, AgentId, Mode, Direction, FalseAlarmsPerMonth, LeastVolume, BoundAbove, BoundBelow,
        AlertRule.Text(QuietFrom), AlertRule.Text(QuietTo), TimeZone, Action, Enabled, "", default, default);
}
