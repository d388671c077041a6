using System.Buffers.Binary;
using System.Text.Json;

namespace ViralEngine.Core.Batches;

/// <summary>An item claimed by a lane.</summary>
/// <param name="Attempt">The number of earlier attempts, in all runs.</param>
/// <param name="FailedAttempts">The number of failed attempts in this run.</param>
internal sealed record BatchItem(
    int Number,
    string? AgentId,
    string Description,
    JsonElement? Input,
    TimeSpan Timeout,
    int MaxAttempts,
    int Attempt,
    int FailedAttempts)
{
    /// <summary>The id that agents see: unique, and the same for each attempt.</summary>
    public static Guid IdOf(Guid batchId, int number)
    {
        Span<byte> bytes = stackalloc byte[16];
        batchId.TryWriteBytes(bytes, bigEndian: true, out _);
        var low = BinaryPrimitives.ReadInt32BigEndian(bytes[12..]);
        BinaryPrimitives.WriteInt32BigEndian(bytes[12..], unchecked(low + number));
        return new Guid(bytes, bigEndian: true);
    }
}

/// <summary>
/// The outcome of an item's attempt: an answer, a permanent failure, or (pending) a failure that is retried.
/// </summary>
/// <param name="Used">The usage of all calls of this attempt, including failed ones.</param>
/// <param name="RetryAfter">The wait before the next attempt; null if the item has ended.</param>
/// <param name="Took">How long the successful attempt took, without waiting before it.</param>
/// <param name="TimeToFirstToken">From the call of the agent that answered; null if the answer is empty.</param>
internal sealed record ItemOutcome(
    int Number,
    string Status,
    ItemResult? Result,
    string? AnsweredBy,
    string? FinishReason,
    string? ErrorJson,
    Agents.AgentUsage? Used,
    TimeSpan? RetryAfter,
    TimeSpan? Took = null,
    TimeSpan? TimeToFirstToken = null);

/// <summary>A range of items that a lane holds.</summary>
/// <param name="Holder">The fencing token, new with each claim.</param>
/// <param name="Lost">How often a worker died while holding it.</param>
internal sealed record SliceLease(long Id, Guid Holder, int First, int Last, int Lost);

/// <summary>A range to run later, and the wait before it.</summary>
internal sealed record SliceRest(int First, int Last, TimeSpan Wait);
