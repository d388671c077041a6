using System.Text.Json;
using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Tasks;

/// <summary>A lease on a task: what its holder needs to run it. Every write of the holder names the attempt.</summary>
/// <param name="Attempt">The fencing token: a holder whose number is not the row's any more changes nothing.</param>
/// <param name="LostAttempts">How often workers died over this task without reporting a failure.</param>
/// <param name="StreamBase">The number of the token stream's last event before this attempt.</param>
/// <param name="TakenOver">The lease was another's that died: what it streamed lies in Redis under its own attempt.</param>
/// <param name="HeldAttempts">How many of the attempts were given back without a call.</param>
/// <param name="Workflow">Whose step waits for the task.</param>
/// <param name="TraceParent">The span of whoever stored the task.</param>
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
    /// <summary>The attempt as users count it.</summary>
    public int Number => Attempt - HeldAttempts;
}

/// <summary>A workflow whose step waits for a task, in the run that made it.</summary>
public sealed record TaskWorkflow(Guid Id, int Run);

/// <summary>An answer as it was streamed.</summary>
/// <param name="ChunkLengths">Where the text was cut, so that a later reader gets the same events.</param>
/// <param name="StreamBase">The number of the event before its first chunk.</param>
/// <param name="Used">By all calls of the attempt, those before a fallback's too.</param>
public sealed record TaskAnswer(
    string Text,
    int[] ChunkLengths,
    int StreamBase,
    string AnsweredBy,
    string? FinishReason,
    AgentUsage? Used);
