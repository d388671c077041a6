using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>What is said of a batch as a whole: beside the items of a JSON body, or in the query of an NDJSON one.</summary>
internal record BatchSettings
{
    [Required, StringLength(200, MinimumLength = 1)]
    [Description("What you call it.")]
    public string Name { get; init; } = "";

    [StringLength(10_000)]
    [Description("What it is for.")]
    public string? Description { get; init; }

    [StringLength(100, MinimumLength = 1)]
    [Description("The agent that runs the items that name no other: a built-in one by its name (echo, http) or one of yours by its id.")]
    public string? AgentId { get; init; }

    [Range(1, BatchLimits.MostLanes)]
    [Description("How many items may run at a time.")]
    public int ConcurrencyLimit { get; init; } = BatchLimits.DefaultLanes;

    [Description("What a failed item means for the others: continue, or fail_fast: they are cancelled and the batch fails.")]
    public FailureMode FailureMode { get; init; }
}

/// <summary>
/// A batch as a JSON document. It is read as it comes: the order of the fields does not matter, and the items are never held in
/// memory together.
/// </summary>
internal sealed record CreateBatchRequest : BatchSettings
{
    [Required, MinLength(1), MaxLength(BatchLimits.MostItems)]
    [Description("What is to be done, in order.")]
    public BatchItemRequest[] Items { get; init; } = [];
}

internal sealed record BatchItemRequest
{
    [StringLength(BatchItemParser.MostIdLength, MinimumLength = 1)]
    [Description("Yours, once in the batch; its place from 1 (in NDJSON its line) when not given.")]
    public string? Id { get; init; }

    [StringLength(100, MinimumLength = 1)]
    [Description("The agent for this item; the batch's when not given.")]
    public string? AgentId { get; init; }

    [Required, StringLength(BatchItemParser.MostDescriptionLength, MinimumLength = 1)]
    [Description("What is to be done, in words.")]
    public string Description { get; init; } = "";

    [Description("Structured input for the agent: any JSON of at most 262,144 bytes.")]
    public JsonElement? Input { get; init; }

    [Description("Any JSON object of yours of at most 16,384 bytes; given back with the result, never looked at.")]
    public JsonElement? Metadata { get; init; }

    [Range(1, BatchItemParser.MostTimeoutSeconds)]
    [Description("The most that one attempt may take, in seconds.")]
    public int TimeoutSeconds { get; init; } = BatchLimits.DefaultTimeoutSeconds;

    [Range(1, BatchItemParser.MostAttempts)]
    [Description("How often to try before the item fails.")]
    public int MaxAttempts { get; init; } = BatchLimits.DefaultMaxAttempts;
}

internal sealed record BatchListQuery : PageQuery
{
    public AgentTaskStatus? Status { get; init; }
}

internal sealed record BatchPage(IReadOnlyList<Batch> Batches, string? NextCursor);

internal enum ResultFormat
{
    Json,
    Ndjson,
    Csv,
}

internal sealed record BatchResultsQuery
{
    [Description("json, ndjson (one item a line) or csv (RFC 4180, with a header line).")]
    public ResultFormat Format { get; init; }

    [Description("Only the items in this state.")]
    public AgentTaskStatus? Status { get; init; }
}

internal sealed record BatchResults(Guid BatchId, IReadOnlyList<BatchResult> Results);
