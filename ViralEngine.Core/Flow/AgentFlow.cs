using ViralEngine.Core.Agents;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Flow;

/// <summary>How fast an agent's provider is called, and what holds the agent's work back.</summary>
public sealed class AgentFlow(Db db, AgentDirectory agents, FlowControl flow, LimitsOptions limits)
{
    private const int MostCounted = 10_000;

    /// <summary>Null: there is no such agent.</summary>
    public async Task<AgentFlowState?> ReadAsync(TenantId tenant, string plan, string agentId, CancellationToken ct)
    {
        if (await agents.LoadChainAsync(tenant, agentId, ct) is not [var agent, ..])
            return null;
        var call = new AgentCall(tenant.Value, Guid.Empty, 1, agent, "", null, TimeSpan.Zero);
        var lane = await flow.ReadAsync(call);
        var (due, running, waiting) = await CountAsync(tenant, agentId, ct);
        var most = limits.Of(plan).ConcurrentTasks;
        return new AgentFlowState(
            agent.Settings.RequestsPerMinute,
            agent.Settings.TokensPerMinute,
            agent.Settings.MaxConcurrency,
            lane?.InFlight ?? 0,
            lane?.RequestsPerMinute,
            lane?.Concurrency,
            lane?.PausedUntil,
            due + waiting.Values.Sum(),
            waiting,
            HeldBackBy());

        string? HeldBackBy()
        {
            if (lane?.PausedUntil is not null)
                return WaitReason.Provider.ToText();
            if (waiting.Count > 0)
                return waiting.MaxBy(reason => reason.Value).Key;
            return due > 0 && most > 0 && running >= most ? "plan" : null;
        }
    }

    private async Task<(int Due, int Running, IReadOnlyDictionary<string, int> Waiting)> CountAsync(
        TenantId tenant, string agentId, CancellationToken ct)
    {
        var rows = await db.QueryAsync(
            tenant,
            """
            SELECT 'due', count(*)::integer
            FROM (
                SELECT
                FROM viral.tasks
                WHERE tenant_id = $1 AND status = 'pending' AND ready AND agent_id = $2 AND waiting_for IS NULL
                LIMIT $3
            ) AS due
            UNION ALL
            SELECT 'running', count(*)::integer
            FROM viral.tasks
            WHERE tenant_id = $1 AND status = 'in_progress'
            UNION ALL
            SELECT waiting_for, count(*)::integer
            FROM (
                SELECT waiting_for
                FROM viral.tasks
                WHERE tenant_id = $1 AND agent_id = $2 AND status IN ('pending', 'in_progress') AND waiting_for IS NOT NULL
                LIMIT $3
            ) AS held
            GROUP BY waiting_for
            UNION ALL
            SELECT waiting_for, count(*)::integer
            FROM viral.batches
            WHERE tenant_id = $1 AND agent_id = $2 AND status = 'in_progress' AND waiting_for IS NOT NULL
            GROUP BY waiting_for
            """,
            [tenant.Value, agentId, MostCounted],
            row => (Name: row.GetString(0), Count: row.GetInt32(1)),
            ct);
        return (
            rows.Where(row => row.Name == "due").Sum(row => row.Count),
            rows.Where(row => row.Name == "running").Sum(row => row.Count),
            rows.Where(row => row.Name is not ("due" or "running")).GroupBy(row => row.Name)
                .ToDictionary(reason => reason.Key, reason => reason.Sum(row => row.Count)));
    }
}

/// <param name="DeclaredRequestsPerMinute">As the agent's settings say.</param>
/// <param name="DeclaredTokensPerMinute">As the agent's settings say.</param>
/// <param name="DeclaredConcurrency">As the agent's settings say; less while an alert's rule has halved it.</param>
/// <param name="InFlight">Calls that run at this moment, of all agents that share host, key and model.</param>
/// <param name="RequestsPerMinute">The rate that the provider was found to bear; null: nothing was learnt yet.</param>
/// <param name="Concurrency">Calls at a time that are tried after it was overloaded; null: no bound.</param>
/// <param name="PausedUntil">Until when it asked to be left alone.</param>
/// <param name="Waiting">Tasks and batches that wait, as far as 10,000 of each kind.</param>
/// <param name="WaitingFor">How many of them wait for what: <c>provider</c>, <c>limit</c>, <c>budget</c>, <c>memory</c>.</param>
/// <param name="HeldBackBy">What holds most of it back: one of these, or the <c>plan</c>; null: nothing.</param>
public sealed record AgentFlowState(
    int? DeclaredRequestsPerMinute,
    int? DeclaredTokensPerMinute,
    int? DeclaredConcurrency,
    int InFlight,
    double? RequestsPerMinute,
    int? Concurrency,
    DateTime? PausedUntil,
    int Waiting,
    IReadOnlyDictionary<string, int> WaitingFor,
    string? HeldBackBy);
