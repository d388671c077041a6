using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>The concurrent tasks of each plan with a limit.</summary>
public sealed class TaskAdmission
{
    private static readonly string[] AllPlans = ["free", "team", "enterprise"];

    public TaskAdmission(LimitsOptions options)
    {
        (string Plan, int Most)[] limited =
        [
            .. AllPlans
                .Select(plan => (plan, options.Of(plan).ConcurrentTasks))
                .Where(plan => plan.ConcurrentTasks > 0),
        ];
        Plans = [.. limited.Select(plan => plan.Plan)];
        Most = [.. limited.Select(plan => plan.Most)];
    }

    private TaskAdmission() => (Plans, Most) = ([], []);

    /// <summary>No plan has a limit.</summary>
    public static TaskAdmission Everything { get; } = new();

    internal string[] Plans { get; }

    internal int[] Most { get; }

    /// <summary>Whether any plan has a limit.</summary>
    internal bool IsLimited => Plans.Length > 0;

    /// <summary>
    /// Serializes claims of a limited tenant until the end of the transaction, so that two cannot both take the last
    /// place. Adds one result to the batch if <see cref="IsLimited"/>, else none.
    /// </summary>
    /// <param name="claims">The name of the claims to serialize; others do not wait.</param>
    internal void AddTurn(DbBatch batch, TenantId tenant, string claims)
    {
        if (!IsLimited)
            return;
        batch.Add(
            """
            SELECT pg_advisory_xact_lock(hashtextextended($3::text || ' ' || id, 0))
            FROM viral.organizations
            WHERE id = $1 AND plan = ANY ($2)
            """,
            [tenant.Value, Plans, claims]);
    }
}
