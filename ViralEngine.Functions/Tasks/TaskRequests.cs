using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Tasks;

internal sealed record CreateTaskRequest
{
    [Required, StringLength(100, MinimumLength = 1)]
    [Description("The agent that runs the task: a built-in one by name (echo, http) or one of yours by id.")]
    public string AgentId { get; init; } = "";

    [Required, StringLength(100_000, MinimumLength = 1)]
    [Description("The prompt for the agent.")]
    public string Description { get; init; } = "";

    [Description("Structured input for the agent: any JSON.")]
    public JsonElement? Input { get; init; }

    [Range(0, 9)]
    [Description("Waiting tasks with a higher priority start first.")]
    public int Priority { get; init; } = 5;

    [MaxLength(20, ErrorMessage = "Must have at most 20 tags."), EachLength(64)]
    [Description("For filtering lists.")]
    public string[] Tags { get; init; } = [];

    [JsonObject(16 * 1024)]
    [Description("Any JSON object. Returned with the task, never interpreted.")]
    public JsonElement? Metadata { get; init; }

    [Range(1, 3600)]
    [Description("Time limit for one attempt, in seconds.")]
    public int TimeoutSeconds { get; init; } = 300;

    [Range(1, 20)]
    [Description("How many attempts to make before the task fails.")]
    public int MaxAttempts { get; init; } = 3;

    [Description("Start the task no earlier than this; at most a year ahead.")]
    public DateTime? ScheduledAt { get; init; }
}

internal sealed record TaskListQuery : PageQuery
{
    public AgentTaskStatus? Status { get; init; }

    [StringLength(100)]
    public string? AgentId { get; init; }

    [StringLength(64)]
    public string? Tag { get; init; }

    public DateTime? CreatedAfter { get; init; }

    public DateTime? CreatedBefore { get; init; }

    [StringLength(200, MinimumLength = 1)]
    [Description("Text that the description contains, in upper or lower case. A page looks through at most 10,000 "
        + "tasks that match the other filters, or 32 MiB of descriptions, and may be empty: next_cursor continues.")]
    public string? Search { get; init; }
}

internal sealed record TaskPage(IReadOnlyList<AgentTask> Tasks, string? NextCursor);
