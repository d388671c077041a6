using System.Buffers.Binary;
using System.Text.Json;

namespace ViralEngine.Core.Batches;

/// <summary>An item as a lane takes it up.</summary>
/// <param name="Attempt">How often it has been run before, in all runs.</param>
/// <param name="FailedAttempts">How often it has failed in this run.</param>
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
    /// <summary>By what agents know an item: the same for each attempt, and nobody else's.</summary>
    public static Guid IdOf(Guid batchId, int number)
    {
        Span<byte> bytes = stackalloc byte[16];
        batchId.TryWriteBytes(bytes, bigEndian: true, out _);
        var low = BinaryPrimitives.ReadInt32BigEndian(bytes[12..]);
        BinaryPrimitives.WriteInt32BigEndian(bytes[12..], unchecked(low + number));
        return new Guid(bytes, bigEndian: true);
    }
}

/// <summary>What came of an item: an answer, a failure for good, or (pending) a failure after which it is tried again.</summary>
/// <param name="Used">By all calls of this attempt, those that failed too.</param>
/// <param name="RetryAfter">Not before this time has passed; null: it has ended.</param>
internal sealed record ItemOutcome(
    int Number,
    string Status,
    ItemResult? Result,
    string? AnsweredBy,
    string? FinishReason,
    string? ErrorJson,
    Agents.AgentUsage? Used,
    TimeSpan? RetryAfter);

/// <summary>A range of items that a lane holds.</summary>
/// <param name="Holder">The fencing token: a new one with each claim.</param>
/// <param name="Lost">How often a worker died holding it.</param>
internal sealed record SliceLease(long Id, Guid Holder, int First, int Last, int Lost);

/// <summary>A range that is to be done later, and how much later.</summary>
internal sealed record SliceRest(int First, int Last, TimeSpan Wait);
