using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Limits;

/// <summary>Budgets with their spent and reserved amounts. Rows are locked in the order of agent ids.</summary>
public sealed class BudgetStore(Db db)
{
    /// <summary>The agent id of the whole organization's budget.</summary>
    public const string Everything = "";

    /// <summary>
    /// Reserves money in every budget that applies to the call, or in none. Concurrent calls take turns at the budget's
    /// row, so that together they cannot exceed it.
    /// </summary>
    public async Task<Reserving> ReserveAsync(
        TenantId tenant, Guid id, string agentId, DateOnly month, decimal amount, TimeSpan lifetime,
        CancellationToken ct)
    {
        await using var batch = db.Batch(tenant)
            .Add(
                """
                INSERT INTO viral.spending (tenant_id, agent_id, month)
                SELECT tenant_id, agent_id, $3
                FROM viral.budgets
                WHERE tenant_id = $1 AND agent_id IN ('', $2)
                ORDER BY agent_id
                ON CONFLICT DO NOTHING
                """,
                [tenant.Value, agentId, month])
            .Add(
                """
                WITH locked AS (
                    SELECT spending.agent_id, spending.spent_usd, spending.reserved_usd, budget.monthly_usd
                    FROM viral.spending AS spending
                    JOIN viral.budgets AS budget ON budget.tenant_id = spending.tenant_id
                        AND budget.agent_id = spending.agent_id
                    WHERE spending.tenant_id = $1 AND spending.agent_id IN ('', $2) AND spending.month = $3
                    ORDER BY spending.agent_id
                    FOR UPDATE OF spending
                ), verdict AS (
                    SELECT count(*) AS budgets,
                           COALESCE(bool_and(spent_usd + reserved_usd + $4 <= monthly_usd), true) AS fits,
                           COALESCE(bool_and(spent_usd + $4 <= monthly_usd), true) AS may_fit,
                           (array_agg(agent_id ORDER BY monthly_usd - spent_usd - reserved_usd))[1] AS tightest
                    FROM locked
                ), reserved AS (
                    UPDATE viral.spending AS spending
                    SET reserved_usd = locked.reserved_usd + $4
                    FROM locked, verdict
                    WHERE verdict.fits AND spending.tenant_id = $1 AND spending.agent_id = locked.agent_id
                      AND spending.month = $3
                    RETURNING spending.agent_id
                ), noted AS (
                    INSERT INTO viral.reservations (tenant_id, id, agent_ids, month, amount_usd, expires_at)
                    SELECT $1, $5, array_agg(agent_id), $3, $4, now() + $6
                    FROM reserved
                    HAVING count(*) > 0
                )
                SELECT fits, may_fit, tightest, budgets
                FROM verdict
                """,
                [tenant.Value, agentId, month, amount, id, lifetime]);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        if (reader.GetBoolean(0))
            return reader.GetInt64(3) > 0 ? new Reserving.Reserved(id) : new Reserving.Unlimited();
        var agent = reader.GetString(2);
        return reader.GetBoolean(1) ? new Reserving.Busy(agent) : new Reserving.Exhausted(agent);
    }

    /// <summary>
    /// Releases the reservation, if any, and books the call's cost. Idempotent: a statement whose response was lost may
    /// be sent again, and may even arrive after its repetition.
    /// </summary>
    public async Task SettleAsync(
        TenantId tenant, Guid id, string agentId, DateOnly month, decimal cost, CancellationToken ct)
    {
        await using var batch = db.Batch(tenant)
            .Add(LockSql, [tenant.Value, agentId, month]);
        if (cost > 0)
        {
            batch.Add(
                """
                WITH noted AS (
                    INSERT INTO viral.settlements (tenant_id, id)
                    VALUES ($1, $5)
                    ON CONFLICT DO NOTHING
                    RETURNING id
                )
                INSERT INTO viral.spending AS spending (tenant_id, agent_id, month, spent_usd)
                SELECT $1, agent_id, $3, $4
                FROM unnest(ARRAY['', $2]) AS agent_id
                WHERE EXISTS (SELECT FROM noted)
                ORDER BY agent_id
                ON CONFLICT (tenant_id, agent_id, month) DO UPDATE
                SET spent_usd = spending.spent_usd + excluded.spent_usd
                """,
                [tenant.Value, agentId, month, cost, id]);
        }

        batch.Add(ReleaseSql, [tenant.Value, id]);
        await batch.ExecuteAsync(ct);
    }

    /// <summary>Releases the reservations of dead processes.</summary>
    /// <returns>The number released.</returns>
    public async Task<int> SweepAsync(int limit, CancellationToken ct)
    {
        var stale = await db.QueryAsync(
            DbScope.AllTenants,
            "SELECT tenant_id, id, agent_ids, month FROM viral.reservations WHERE expires_at < now() LIMIT $1",
            [limit],
            row => (
                Tenant: new TenantId(row.GetGuid(0)), Id: row.GetGuid(1), Agents: row.GetFieldValue<string[]>(2),
                Month: row.GetFieldValue<DateOnly>(3)),
            ct);
        foreach (var (tenant, id, agents, month) in stale)
            await SettleAsync(tenant, id, agents.Max(StringComparer.Ordinal)!, month, cost: 0, ct);
        return stale.Count;
    }

    /// <summary>Deletes old settlements that nobody will repeat.</summary>
    /// <returns>The number deleted.</returns>
    public Task<int> ForgetAsync(TimeSpan age, int limit, CancellationToken ct) => db.ExecuteAsync(
        DbScope.AllTenants,
        """
        DELETE FROM viral.settlements
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM viral.settlements WHERE settled_at < now() - $1 LIMIT $2))
        """,
        [age, limit],
        ct);

    /// <summary>
    /// The budgets with this month's spending, including agents without a budget that spent something.
    /// </summary>
    public Task<List<BudgetLine>> ListAsync(TenantId tenant, DateOnly month, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            """
            SELECT COALESCE(budget.agent_id, spending.agent_id), budget.monthly_usd,
                   COALESCE(spending.spent_usd, 0), COALESCE(spending.reserved_usd, 0)
            FROM (SELECT * FROM viral.budgets WHERE tenant_id = $1) AS budget
            FULL JOIN (SELECT * FROM viral.spending WHERE tenant_id = $1 AND month = $2) AS spending
                ON spending.agent_id = budget.agent_id
            ORDER BY 1
            """,
            [tenant.Value, month],
            row => new BudgetLine(row.GetString(0), row.GetDecimalOrNull(1), row.GetDecimal(2), row.GetDecimal(3)),
            ct);

    /// <summary>Replaces all budgets of the tenant.</summary>
    public async Task ReplaceAsync(TenantId tenant, IReadOnlyDictionary<string, decimal> budgets, CancellationToken ct)
    {
        await using var batch = db.Batch(tenant)
            .Add(
                "DELETE FROM viral.budgets WHERE tenant_id = $1 AND NOT agent_id = ANY ($2)",
                [tenant.Value, budgets.Keys.ToArray()])
            .Add(
                """
                INSERT INTO viral.budgets AS budget (tenant_id, agent_id, monthly_usd)
                SELECT $1, agent_id, monthly_usd
                FROM unnest($2::text[], $3::numeric[]) AS given (agent_id, monthly_usd)
                ON CONFLICT (tenant_id, agent_id) DO UPDATE
                SET monthly_usd = excluded.monthly_usd, updated_at = now()
                """,
                [tenant.Value, budgets.Keys.ToArray(), budgets.Values.ToArray()]);
        await batch.ExecuteAsync(ct);
    }

    private const string LockSql =
        """
        SELECT agent_id
        FROM viral.spending
        WHERE tenant_id = $1 AND agent_id IN ('', $2) AND month = $3
        ORDER BY agent_id
        FOR UPDATE
        """;

    private const string ReleaseSql =
        """
        WITH released AS (
            DELETE FROM viral.reservations
            WHERE tenant_id = $1 AND id = $2
            RETURNING tenant_id, agent_ids, month, amount_usd
        )
        UPDATE viral.spending AS spending
        SET reserved_usd = spending.reserved_usd - released.amount_usd
        FROM released
        WHERE spending.tenant_id = released.tenant_id AND spending.agent_id = ANY (released.agent_ids)
          AND spending.month = released.month
        """;
}

/// <summary>The outcome of a reservation.</summary>
public abstract record Reserving
{
    public sealed record Reserved(Guid Id) : Reserving;

    /// <summary>No budget applies to the call.</summary>
    public sealed record Unlimited : Reserving;

    /// <summary>Running calls have reserved the rest; once they are settled, there may be room.</summary>
    public sealed record Busy(string AgentId) : Reserving;

    /// <summary>The rest of the month's budget does not cover the call.</summary>
    public sealed record Exhausted(string AgentId) : Reserving;
}

/// <param name="AgentId">Empty for the whole organization.</param>
/// <param name="MonthlyUsd">Null for no budget.</param>
/// <param name="ReservedUsd">Reserved for running calls.</param>
public sealed record BudgetLine(string AgentId, decimal? MonthlyUsd, decimal SpentUsd, decimal ReservedUsd);
