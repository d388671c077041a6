using Microsoft.DurableTask.Protobuf;

namespace ViralEngine.LocalHost.Durable;

/// <summary>The orchestrators and activities that the engine runs.</summary>
internal interface IDurableCode
{
    /// <summary>Waits until what it holds is known.</summary>
    Task ReadyAsync(CancellationToken ct);

    bool HasOrchestrator(string name);

    bool HasActivity(string name);

    /// <summary>Replays an orchestrator's history and takes its next step.</summary>
    /// <exception cref="OperationCanceledException">The worker is gone, or the process stops: the step was not
    /// taken.</exception>
    Task<OrchestratorResponse> RunOrchestratorAsync(string name, OrchestratorRequest step, CancellationToken ct);

    /// <summary>
    /// Runs an activity. Its input and output are JSON, null for none. <paramref name="ct"/> is cancelled when the
    /// process stops or has lost its leases; the result is then discarded.
    /// </summary>
    /// <exception cref="OperationCanceledException">The worker is gone, or the process stops: the activity was not
    /// answered.</exception>
    Task<ActivityResult> RunActivityAsync(ActivityWork work, CancellationToken ct);
}

/// <summary>What an activity returned, or why it failed.</summary>
/// <param name="Output">JSON; null for none.</param>
internal sealed record ActivityResult(string? Output, FailureRecord? Failure = null);
