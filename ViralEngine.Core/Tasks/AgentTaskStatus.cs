namespace ViralEngine.Core.Tasks;

public enum AgentTaskStatus
{
    Pending,
    InProgress,
    Completed,
    Failed,
    Cancelled,
}

public static class AgentTaskStatuses
{
    public static bool IsTerminal(this AgentTaskStatus status) => status >= AgentTaskStatus.Completed;

    /// <summary>As the API and the database spell it: <c>in_progress</c>.</summary>
    public static string ToText(this AgentTaskStatus status) => status switch
    {
        AgentTaskStatus.Pending => "pending",
        AgentTaskStatus.InProgress => "in_progress",
        AgentTaskStatus.Completed => "completed",
        AgentTaskStatus.Failed => "failed",
        AgentTaskStatus.Cancelled => "cancelled",
    };

    public static AgentTaskStatus? Parse(string? text) => text switch
    {
        "pending" => AgentTaskStatus.Pending,
        "in_progress" => AgentTaskStatus.InProgress,
        "completed" => AgentTaskStatus.Completed,
        "failed" => AgentTaskStatus.Failed,
        "cancelled" => AgentTaskStatus.Cancelled,
        _ => null,
    };
}
