using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Limits;

/// <summary>An organization's use of its plan.</summary>
public sealed class UsageStore(Db db)
{
    /// <param name="scope">The tenant's scope, or that of all tenants.</param>
    /// <param name="month">The first day of the month.</param>
    public Task<Usage> ReadAsync(DbScope scope, TenantId tenant, DateOnly month, CancellationToken ct) =>
        db.QueryOneAsync(
            scope,
            """
            SELECT
                (SELECT COALESCE(sum(submitted), 0)::bigint FROM viral.task_counts WHERE tenant_id = $1 AND month = $2),
                (SELECT count(*) FROM viral.tasks WHERE tenant_id = $1 AND status = 'in_progress')
                    + (SELECT count(*)
                       FROM viral.batches AS batch
                       JOIN viral.batch_slices AS slice ON slice.batch_id = batch.id
                           AND slice.tenant_id = batch.tenant_id
                       WHERE batch.tenant_id = $1 AND batch.status = 'in_progress' AND slice.lease_until > now()),
                (SELECT count(*) FROM viral.members WHERE tenant_id = $1),
                COALESCE(
                    (SELECT spent_usd FROM viral.spending WHERE tenant_id = $1 AND agent_id = '' AND month = $2), 0),
                COALESCE(
                    (SELECT reserved_usd FROM viral.spending WHERE tenant_id = $1 AND agent_id = '' AND month = $2), 0),
                (SELECT monthly_usd FROM viral.budgets WHERE tenant_id = $1 AND agent_id = '')
            """,
            [tenant.Value, month],
            row => new Usage(
                row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetDecimal(3), row.GetDecimal(4),
                row.GetDecimalOrNull(5)),
            ct)!;
}

/// <param name="TasksThisMonth">Submitted in this calendar month (UTC), batch items included.</param>
/// <param name="TasksRunning">Running now, batch items included.</param>
/// <param name="SpentUsd">Spent this month, by the prices of agents and models.</param>
/// <param name="ReservedUsd">Reserved for running calls.</param>
/// <param name="BudgetUsd">The monthly budget; null for none.</param>
public sealed record Usage(
    long TasksThisMonth, long TasksRunning, long Members, decimal SpentUsd, decimal ReservedUsd, decimal? BudgetUsd);
