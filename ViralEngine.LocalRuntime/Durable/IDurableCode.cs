using Microsoft.DurableTask;

namespace ViralEngine.LocalRuntime.Durable;

/// <summary>The orchestrators and activities that the engine runs.</summary>
internal interface IDurableCode
{
    bool HasOrchestrator(string name);

    bool HasActivity(string name);

    /// <summary>
    /// Runs the orchestrator that <see cref="TaskOrchestrationContext.Name"/> names. Called on the engine's own
    /// synchronization context, which every await on the way must come back to: no <c>ConfigureAwait(false)</c>,
    /// no await of anything but the context's own tasks.
    /// </summary>
    Task<object?> RunOrchestratorAsync(TaskOrchestrationContext context);

    /// <summary>
    /// Runs an activity; takes and returns JSON, null for none. <paramref name="ct"/> is cancelled when the process
    /// stops or has lost its leases; the result is then discarded.
    /// </summary>
    Task<string?> RunActivityAsync(string name, TaskActivityContext context, string? inputJson, CancellationToken ct);
}
