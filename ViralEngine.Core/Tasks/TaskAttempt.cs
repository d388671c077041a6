using System.Text.Json;
using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// A lease on a task, with what its holder needs to run it. Every write of the holder names the attempt.
/// </summary>
/// <param name="Attempt">The fencing token: a holder with an outdated number changes nothing.</param>
/// <param name="LostAttempts">How often workers died while running this task.</param>
/// <param name="StreamBase">The number of the token stream's last event before this attempt.</param>
/// <param name="TakenOver">Whether the lease was taken over from a dead worker, whose stream is in Redis under its own
/// attempt.</param>
/// <param name="HeldAttempts">How many attempts were released without a call.</param>
/// <param name="Workflow">The workflow whose step waits for the task.</param>
/// <param name="TraceParent">The span that stored the task.</param>
public sealed record TaskAttempt(
    Guid TaskId,
    int Attempt,
    string AgentId,
    string Description,
    JsonElement? Input,
    TimeSpan Timeout,
    int MaxAttempts,
    int FailedAttempts,
    int LostAttempts,
    int StreamBase,
    bool TakenOver,
    int HeldAttempts,
    TaskWorkflow? Workflow,
    string? TraceParent)
{
    /// <summary>The attempt number that users see.</summary>
    public int Number => Attempt - HeldAttempts;
}

/// <summary>A workflow whose step waits for a task, and the run that created the task.</summary>
public sealed record TaskWorkflow(Guid Id, int Run);

/// <summary>An answer as it was streamed.</summary>
/// <param name="ChunkLengths">The lengths of the streamed pieces, so that later readers get the same events.</param>
/// <param name="StreamBase">The number of the event before its first chunk.</param>
/// <param name="Used">The usage of all calls of the attempt, including failed ones before a fallback.</param>
public sealed record TaskAnswer(
    string Text,
    int[] ChunkLengths,
    int StreamBase,
    string AnsweredBy,
    string? FinishReason,
    TimeSpan? TimeToFirstToken,
    AgentUsage? Used);
