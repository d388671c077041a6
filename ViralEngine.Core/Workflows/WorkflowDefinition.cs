using ViralEngine.Core.Workflows.Conditions;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows;

/// <summary>A workflow's definition, validated by <see cref="DefinitionReader"/>.</summary>
/// <param name="RollbackOnCancel">Whether to roll back completed steps when a user cancels the workflow.</param>
public sealed record WorkflowDefinition(IReadOnlyList<WorkflowStep> Steps, bool RollbackOnCancel)
{
    /// <summary>Every step, including nested ones, in the order in which they are written.</summary>
    public IEnumerable<WorkflowStep> AllSteps => Steps.SelectMany(step => step.WithInner());
}

/// <param name="Path">Its path: <c>steps[2].branches[0].steps[1]</c>.</param>
/// <param name="Rollback">Undoes the step when a later one fails permanently.</param>
public abstract record WorkflowStep(string Id, string? Name, string Path, StepAction? Rollback)
{
    public abstract string Type { get; }

    /// <summary>The nested sequences of steps.</summary>
    public virtual IReadOnlyList<IReadOnlyList<WorkflowStep>> Inner => [];

    public IEnumerable<WorkflowStep> WithInner() =>
        Inner.SelectMany(steps => steps).SelectMany(step => step.WithInner()).Prepend(this);
}

/// <summary>Calls an agent or a URL.</summary>
public sealed record ActionStep(string Id, string? Name, string Path, StepAction? Rollback, StepAction Action)
    : WorkflowStep(Id, Name, Path, Rollback)
{
    public override string Type => Action is TaskAction ? "task" : "webhook";
}

/// <summary>Runs branches concurrently.</summary>
/// <param name="FailFast">Whether the first failed branch ends the others.</param>
public sealed record ParallelStep(
    string Id, string? Name, string Path, StepAction? Rollback, IReadOnlyList<Branch> Branches, int MaxConcurrency,
    bool FailFast)
    : WorkflowStep(Id, Name, Path, Rollback)
{
    public override string Type => "parallel";

    public override IReadOnlyList<IReadOnlyList<WorkflowStep>> Inner => [.. Branches.Select(branch => branch.Steps)];
}

/// <summary>Runs the first branch whose condition holds, else the default.</summary>
public sealed record ChoiceStep(
    string Id,
    string? Name,
    string Path,
    StepAction? Rollback,
    IReadOnlyList<ConditionalBranch> Conditions,
    IReadOnlyList<WorkflowStep> Default) : WorkflowStep(Id, Name, Path, Rollback)
{
    public override string Type => "choice";

    /// <summary>The branches in order, then the default.</summary>
    public override IReadOnlyList<IReadOnlyList<WorkflowStep>> Inner =>
        [.. Conditions.Select(branch => branch.Steps), Default];

    /// <summary>The name of a branch in outputs and graphs.</summary>
    public string NameOf(int branch) =>
        branch == Conditions.Count ? "default" : Conditions[branch].Name ?? $"condition_{branch + 1}";
}

/// <summary>Waits for people to decide.</summary>
/// <param name="ContinueOnReject">Whether the workflow continues after a rejection, so that a choice can test the
/// outcome.</param>
public sealed record ApprovalStep(
    string Id,
    string? Name,
    string Path,
    StepAction? Rollback,
    LiquidText Title,
    LiquidText? Message,
    Approvers Approvers,
    int Quorum,
    int RejectQuorum,
    bool ExcludeRequester,
    int? TimeoutSeconds,
    TimeoutAction OnTimeout,
    Escalation? Escalation,
    int? ReminderSeconds,
    bool ContinueOnReject) : WorkflowStep(Id, Name, Path, Rollback)
{
    public override string Type => "approval";
}

/// <summary>Waits for a duration or until a time. Exactly one of the two is set.</summary>
public sealed record DelayStep(
    string Id, string? Name, string Path, StepAction? Rollback, int? Seconds, LiquidText? Until)
    : WorkflowStep(Id, Name, Path, Rollback)
{
    public override string Type => "delay";
}

public sealed record Branch(string? Name, IReadOnlyList<WorkflowStep> Steps);

public sealed record ConditionalBranch(string? Name, Condition Condition, IReadOnlyList<WorkflowStep> Steps);

/// <summary>Who may decide: members and keys with any of the roles, or those named.</summary>
/// <param name="Users">Member ids, subjects of tokens, or API keys as <c>api_key:&lt;id&gt;</c>.</param>
public sealed record Approvers(IReadOnlyList<string> Roles, IReadOnlyList<string> Users);

/// <summary>Who is asked after a time-out, and what happens if they do not decide either.</summary>
public sealed record Escalation(
    IReadOnlyList<string> Roles, IReadOnlyList<string> Users, int TimeoutSeconds, TimeoutAction OnTimeout);

public enum TimeoutAction
{
    Reject,
    Approve,
    Escalate,
}

/// <summary>An action: an agent's task or an HTTP call.</summary>
public abstract record StepAction(RetryPolicy? Retry);

/// <param name="MaxAttempts">The task's own attempts; one by default with a retry policy of the step.</param>
public sealed record TaskAction(
    RetryPolicy? Retry,
    LiquidText AgentId,
    LiquidText Description,
    LiquidTree? Input,
    int Priority,
    int TimeoutSeconds,
    int MaxAttempts) : StepAction(Retry);

public sealed record WebhookAction(
    RetryPolicy? Retry,
    string Method,
    LiquidText Url,
    IReadOnlyDictionary<string, LiquidText> Headers,
    LiquidTree? Body,
    int TimeoutSeconds) : StepAction(Retry);

/// <summary>When a failed step is retried: exponential backoff, by error class.</summary>
/// <param name="On">The error classes to retry; null for those that a task retries.</param>
public sealed record RetryPolicy(
    int MaxAttempts, IReadOnlySet<string>? On, double InitialSeconds, double Factor, double MaxSeconds)
{
    public static RetryPolicy WebhookDefault { get; } = new(3, null, 1, 2, 60);

    /// <summary>The wait before the next attempt; null for no retry.</summary>
    public TimeSpan? Delay(int attempt, string errorClass)
    {
        if (attempt >= MaxAttempts || !(On?.Contains(errorClass) ?? Retryable.Contains(errorClass)))
            return null;
        return TimeSpan.FromSeconds(Math.Min(InitialSeconds * Math.Pow(Factor, attempt - 1), MaxSeconds));
    }

    private static readonly HashSet<string> Retryable =
    [
        .. Enum.GetValues<Agents.ErrorClass>()
            .Where(Agents.ErrorClassRules.IsRetryable)
            .Select(Agents.ErrorClassRules.ToApiName),
    ];
}
