using Microsoft.DurableTask.Protobuf;

namespace ViralEngine.LocalHost.Durable;

/// <summary>The outcome of one step of an orchestration.</summary>
internal sealed record StepOutcome
{
    /// <summary>
    /// <see cref="OrchestrationStatus.ContinuedAsNew"/> when it begins anew, else running or finished.
    /// </summary>
    public required OrchestrationStatus Status { get; init; }

    /// <summary>The step as history keeps it; empty when nothing happened.</summary>
    public required List<StoredEvent> Events { get; init; }

    public IReadOnlyList<OrchestrationAction> Actions { get; init; } = [];

    public string? Output { get; init; }

    /// <summary>What the orchestrator says of itself, as JSON; null when it says nothing.</summary>
    public string? CustomStatus { get; init; }

    public FailureRecord? Failure { get; init; }

    /// <summary>Input of the execution that follows.</summary>
    public string? NewInput { get; init; }

    public string? NewVersion { get; init; }

    /// <summary>Events for the execution that follows.</summary>
    public List<StoredEvent> Carried { get; init; } = [];

    /// <summary>Sub-orchestrations that end with this one.</summary>
    public IReadOnlyList<string> ToTerminate { get; init; } = [];

    public bool IsFinished => Status is OrchestrationStatus.Completed
        or OrchestrationStatus.Failed
        or OrchestrationStatus.Terminated;
}
