using System.Text.Json;

namespace ViralEngine.Core.Workflows;

/// <summary>A workflow. Times are UTC.</summary>
/// <param name="Definition">The definition it was started with; later versions of its template do not change
/// it.</param>
/// <param name="Run">1, increased by each retry from a step.</param>
/// <param name="Steps">The steps that were reached, in the order in which they started. Left out in lists.</param>
public sealed record Workflow(
    Guid Id,
    string? Name,
    WorkflowStatus Status,
    JsonElement? Definition,
    JsonElement? Input,
    Guid? TemplateId,
    int? TemplateVersion,
    string CreatedBy,
    DateTime CreatedAt,
    DateTime UpdatedAt,
    DateTime? StartedAt,
    DateTime? CompletedAt,
    int Run,
    bool CancelRequested,
    StepError? Error,
    IReadOnlyList<WorkflowStepState>? Steps);

/// <summary>The state of a step or of its rollback.</summary>
/// <param name="TaskId">The task that runs it, for a task step.</param>
/// <param name="DueAt">When it continues: the next attempt, or the end of a delay.</param>
public sealed record WorkflowStepState(
    string Id,
    StepKind Kind,
    StepStatus Status,
    int Run,
    int Attempt,
    Guid? TaskId,
    JsonElement? Output,
    StepError? Error,
    DateTime? DueAt,
    DateTime StartedAt,
    DateTime? CompletedAt);

/// <summary>Why a step or a workflow failed.</summary>
/// <param name="Class">The class of the error: one of a task's, or <c>template</c>, <c>rejected</c>,
/// <c>cancelled</c>.</param>
/// <param name="Step">The step that failed.</param>
public sealed record StepError(string Class, string Message, string? Step);

public enum WorkflowStatus
{
    Pending,
    InProgress,
    /// <summary>Waiting for a decision, a time or a retry.</summary>
    Waiting,
    RollingBack,
    Completed,
    Failed,
    Cancelled,
}

public enum StepKind
{
    Step,
    Rollback,
}

public enum StepStatus
{
    InProgress,
    Waiting,
    Retrying,
    Completed,
    Failed,
    Cancelled,
}

/// <summary>The words for states in the API and the database.</summary>
public static class WorkflowWords
{
    public static bool HasEnded(this WorkflowStatus status) => status >= WorkflowStatus.Completed;

    public static bool HasEnded(this StepStatus status) => status >= StepStatus.Completed;

    public static string ToText(this WorkflowStatus status) =>
        JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());

    public static string ToText(this StepStatus status) =>
        JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());

    public static string ToText(this StepKind kind) => kind == StepKind.Step ? "step" : "rollback";

    public static WorkflowStatus ParseWorkflow(string text) => Workflows[text];

    public static StepStatus ParseStep(string text) => Steps[text];

    public static StepKind ParseKind(string text) => text == "step" ? StepKind.Step : StepKind.Rollback;

    private static readonly Dictionary<string, WorkflowStatus> Workflows =
        Enum.GetValues<WorkflowStatus>().ToDictionary(status => status.ToText());

    private static readonly Dictionary<string, StepStatus> Steps = Enum.GetValues<StepStatus>().ToDictionary(
        status => status.ToText());
}
