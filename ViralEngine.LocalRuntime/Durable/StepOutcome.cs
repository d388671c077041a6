using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalRuntime.Durable;

/// <summary>What came of one step of an orchestration.</summary>
internal sealed record StepOutcome
{
    /// <summary>
    /// <see cref="OrchestrationRuntimeStatus.ContinuedAsNew"/> when it begins anew, else running or finished.
    /// </summary>
    public required OrchestrationRuntimeStatus Status { get; init; }

    /// <summary>The step as history keeps it; empty when nothing happened.</summary>
    public required List<HistoryEvent> Events { get; init; }

    public IReadOnlyList<OrchestrationAction> Actions { get; init; } = [];

    public string? Output { get; init; }

    public TaskFailureDetails? Failure { get; init; }

    /// <summary>Input of the execution that follows.</summary>
    public string? NewInput { get; init; }

    public string? NewVersion { get; init; }

    /// <summary>Events for the execution that follows.</summary>
    public List<HistoryEvent> Carried { get; init; } = [];

    /// <summary>Sub-orchestrations that end with this one.</summary>
    public IReadOnlyList<string> ToTerminate { get; init; } = [];

    /// <summary>This step and the one after it as one.</summary>
    public StepOutcome Then(StepOutcome next) => next with { Events = [.. Events, .. next.Events] };

    public bool IsFinished => Status is OrchestrationRuntimeStatus.Completed
        or OrchestrationRuntimeStatus.Failed
        or OrchestrationRuntimeStatus.Terminated;
}
