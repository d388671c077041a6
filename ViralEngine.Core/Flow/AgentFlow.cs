using ViralEngine.Core.Agents;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Flow;

/// <summary>How fast an agent's provider is called, and what holds its work back.</summary>
public sealed class AgentFlow(Db db, AgentDirectory agents, FlowControl flow, LimitsOptions limits)
{
    private const int MaxCounted = 10_000;

    /// <summary>Null if the agent does not exist.</summary>
    public async Task<AgentFlowState?> ReadAsync(TenantId tenant, string plan, string agentId, CancellationToken ct)
    {
        if (await agents.LoadChainAsync(tenant, agentId, ct) is not [var agent, ..])
            return null;
        var call = new AgentCall(tenant.Value, Guid.Empty, 1, agent, "", null, TimeSpan.Zero);
        var group = await flow.ReadAsync(call);
        var (due, running, waiting) = await CountAsync(tenant, agentId, ct);
        var most = limits.Of(plan).ConcurrentTasks;
        return new AgentFlowState(
            agent.Settings.RequestsPerMinute,
            agent.Settings.TokensPerMinute,
            agent.Settings.MaxConcurrency,
            group?.InFlight ?? 0,
            group?.RequestsPerMinute,
            group?.Concurrency,
            group?.PausedUntil,
            due + waiting.Values.Sum(),
            waiting,
            HeldBackBy());

        string? HeldBackBy()
        {
            if (group?.PausedUntil is not null)
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
                WHERE tenant_id = $1 AND agent_id = $2 AND status IN ('pending', 'in_progress')
                    AND waiting_for IS NOT NULL
                LIMIT $3
            ) AS held
            GROUP BY waiting_for
            UNION ALL
            SELECT waiting_for, count(*)::integer
            FROM viral.batches
            WHERE tenant_id = $1 AND agent_id = $2 AND status = 'in_progress' AND waiting_for IS NOT NULL
            GROUP BY waiting_for
            """,
            [tenant.Value, agentId, MaxCounted],
            row => (Name: row.GetString(0), Count: row.GetInt32(1)),
            ct);
        return (
            rows.Where(row => row.Name == "due").Sum(row => row.Count),
            rows.Where(row => row.Name == "running").Sum(row => row.Count),
            rows.Where(row => row.Name is not ("due" or "running")).GroupBy(row => row.Name)
                .ToDictionary(reason => reason.Key, reason => reason.Sum(row => row.Count)));
    }
}

/// <param name="DeclaredRequestsPerMinute">As in the agent's settings.</param>
/// <param name="DeclaredTokensPerMinute">As in the agent's settings.</param>
/// <param name="DeclaredConcurrency">As in the agent's settings; less while an alert rule has halved it.</param>
/// <param name="InFlight">Running calls of all agents with the same host, key and model.</param>
/// <param name="RequestsPerMinute">The rate that the provider was found to accept; null if none was measured
/// yet.</param>
/// <param name="Concurrency">The number of concurrent calls after the provider was overloaded; null for no
/// bound.</param>
/// <param name="PausedUntil">The end of a pause that the provider asked for.</param>
/// <param name="Waiting">Waiting tasks and batches, counted up to 10,000 of each.</param>
/// <param name="WaitingFor">How many of them wait for each reason: <c>provider</c>, <c>limit</c>, <c>budget</c>,
/// <c>memory</c>.</param>
/// <param name="HeldBackBy">What holds back most of the work: one of these reasons, or <c>plan</c>; null for
/// nothing.</param>
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
