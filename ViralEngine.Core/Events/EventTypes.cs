namespace ViralEngine.Core.Events;

/// <summary>
/// Every type of event, by the name that histories, streams and webhooks use. Their data are in the OpenAPI document,
/// in the schema of the same name (<c>task.started</c>: <c>TaskStartedData</c>).
/// </summary>
public static class EventTypes
{
    public const string TaskCreated = "task.created";
    public const string TaskStarted = "task.started";
    public const string TaskProgress = "task.progress";
    public const string TaskWaiting = "task.waiting";
    public const string TaskRetrying = "task.retrying";
    public const string TaskCompleted = "task.completed";
    public const string TaskFailed = "task.failed";
    public const string TaskCancelRequested = "task.cancel_requested";
    public const string TaskCancelled = "task.cancelled";
    public const string TaskRetried = "task.retried";

    public const string BatchCreated = "batch.created";
    public const string BatchStarted = "batch.started";
    public const string BatchProgress = "batch.progress";
    public const string BatchCompleted = "batch.completed";
    public const string BatchFailed = "batch.failed";
    public const string BatchCancelled = "batch.cancelled";
    public const string BatchCancelRequested = "batch.cancel_requested";
    public const string BatchRetried = "batch.retried";

    public const string WorkflowCreated = "workflow.created";
    public const string WorkflowStarted = "workflow.started";
    public const string WorkflowWaiting = "workflow.waiting";
    public const string WorkflowCompleted = "workflow.completed";
    public const string WorkflowFailed = "workflow.failed";
    public const string WorkflowCancelRequested = "workflow.cancel_requested";
    public const string WorkflowCancelled = "workflow.cancelled";
    public const string WorkflowRetried = "workflow.retried";
    public const string WorkflowRollingBack = "workflow.rolling_back";
    public const string WorkflowRolledBack = "workflow.rolled_back";
    public const string WorkflowStepStarted = "workflow.step_started";
    public const string WorkflowStepCompleted = "workflow.step_completed";
    public const string WorkflowStepFailed = "workflow.step_failed";
    public const string WorkflowRollbackStarted = "workflow.rollback_started";
    public const string WorkflowRollbackCompleted = "workflow.rollback_completed";
    public const string WorkflowRollbackFailed = "workflow.rollback_failed";
    public const string WorkflowStepRetrying = "workflow.step_retrying";
    public const string WorkflowStepCancelled = "workflow.step_cancelled";

    public const string ApprovalRequested = "approval.requested";
    public const string ApprovalReminder = "approval.reminder";
    public const string ApprovalDecided = "approval.decided";
    public const string ApprovalEscalated = "approval.escalated";
    public const string ApprovalExpired = "approval.expired";

    public const string AlertOpened = "alert.opened";
    public const string AlertUpdated = "alert.updated";
    public const string AlertResolved = "alert.resolved";

    public const string WebhookDisabled = "webhook.disabled";
    public const string WebhookTest = "webhook.test";

    public static readonly IReadOnlyList<string> All =
    [
        .. typeof(EventTypes).GetFields()
            .Where(field => field.IsLiteral)
            .Select(field => (string)field.GetRawConstantValue()!),
    ];

    /// <summary>What events are about: the part before the dot.</summary>
    public static readonly IReadOnlyList<string> Kinds = [.. All.Select(type => type.Split('.')[0]).Distinct()];
}
