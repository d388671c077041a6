using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>How many tasks run at a time, for each plan that has a limit.</summary>
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
    /// Lets claims of a limited tenant take turns until the end of the transaction: two at once must not both take the last place.
    /// One result in the batch where <see cref="IsLimited"/>, else none.
    /// </summary>
    /// <param name="claims">Which claims: those of another name do not wait.</param>
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
