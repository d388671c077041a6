using ViralEngine.Core.Limits;

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

    internal bool IsLimited => Plans.Length > 0;
}
