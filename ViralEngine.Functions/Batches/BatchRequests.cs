using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>The settings of a batch: beside the items in a JSON body, or in the query with an NDJSON body.</summary>
internal record BatchSettings
{
    [Required, StringLength(200, MinimumLength = 1)]
    [Description("A name for people.")]
    public string Name { get; init; } = "";

    [StringLength(10_000)]
    [Description("A description for people.")]
    public string? Description { get; init; }

    [StringLength(100, MinimumLength = 1)]
    [Description("The default agent for items: a built-in one by name (echo, http) or one of yours by id.")]
    public string? AgentId { get; init; }

    [Range(1, BatchLimits.MaxConcurrency)]
    [Description("How many items may run at a time.")]
    public int ConcurrencyLimit { get; init; } = BatchLimits.DefaultConcurrency;

    [Description(
        "What happens when an item fails. continue: the other items run. "
        + "fail_fast: they are cancelled and the batch fails.")]
    public FailureMode FailureMode { get; init; }
}

/// <summary>A batch as a JSON document. It is read as a stream: the order of the fields does not matter.</summary>
internal sealed record CreateBatchRequest : BatchSettings
{
    [Required, MinLength(1), MaxLength(BatchLimits.MaxItems)]
    [Description("The items, in order.")]
    public BatchItemRequest[] Items { get; init; } = [];
}

internal sealed record BatchItemRequest
{
    [StringLength(BatchItemParser.MaxIdLength, MinimumLength = 1)]
    [Description("Your id, unique in the batch. By default the item's position from 1 (in NDJSON its line).")]
    public string? Id { get; init; }

    [StringLength(100, MinimumLength = 1)]
    [Description("The agent for this item; by default the batch's agent.")]
    public string? AgentId { get; init; }

    [Required, StringLength(BatchItemParser.MaxDescriptionLength, MinimumLength = 1)]
    [Description("The prompt for the agent.")]
    public string Description { get; init; } = "";

    [Description("Structured input for the agent: any JSON of at most 262,144 bytes.")]
    public JsonElement? Input { get; init; }

    [Description("Any JSON object of at most 16,384 bytes. Returned with the result, never interpreted.")]
    public JsonElement? Metadata { get; init; }

    [Range(1, BatchItemParser.MaxTimeoutSeconds)]
    [Description("Time limit for one attempt, in seconds.")]
    public int TimeoutSeconds { get; init; } = BatchLimits.DefaultTimeoutSeconds;

    [Range(1, BatchItemParser.MaxAttempts)]
    [Description("How many attempts to make before the item fails.")]
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
    [Description("json, ndjson (one item per line) or csv (RFC 4180, with a header line).")]
    public ResultFormat Format { get; init; }

    [Description("Only the items in this state.")]
    public AgentTaskStatus? Status { get; init; }
}

internal sealed record BatchResults(Guid BatchId, IReadOnlyList<BatchResult> Results);
