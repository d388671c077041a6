using System.Text.Json;

namespace ViralEngine.Core.Tasks;

/// <summary>A lease on a task: what its holder needs to run it. Every write of the holder names the attempt.</summary>
/// <param name="Attempt">The fencing token: a holder whose number is not the row's any more changes nothing.</param>
/// <param name="LostAttempts">How often workers died over this task without reporting a failure.</param>
/// <param name="StreamBase">The number of the token stream's last event before this attempt.</param>
/// <param name="TakenOver">The lease was another's that died: what it streamed lies in Redis under its own attempt.</param>
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
    bool TakenOver);

/// <summary>What came of trying to take a task up.</summary>
public abstract record TaskClaim
{
    public sealed record Taken(TaskAttempt Attempt) : TaskClaim;

    /// <summary>Not due yet, or leased to somebody: worth another look then.</summary>
    public sealed record NotBefore(DateTime At) : TaskClaim;

    /// <summary>Ended or unknown: there is nothing to do.</summary>
    public sealed record Nothing : TaskClaim;
}

/// <summary>An answer as it was streamed.</summary>
/// <param name="ChunkLengths">Where the text was cut, so that a later reader gets the same events.</param>
/// <param name="StreamBase">The number of the event before its first chunk.</param>
public sealed record TaskAnswer(
    string Text,
    int[] ChunkLengths,
    int StreamBase,
    string AnsweredBy,
    TaskUsage? Usage);
