using System.Text.Json;

namespace ViralEngine.Console.Agents;

/// <summary>An agent as pages show it: one of the organization's, or a built-in one, whose id is its name.</summary>
/// <param name="ApiKey">What may be seen of its key; null: it has none.</param>
public sealed record AgentView(
    string Id, string Name, string? Description, string Kind, bool IsBuiltIn, JsonElement Settings, string? ApiKey,
    IReadOnlyList<string> SecretHeaders, IReadOnlyList<Guid> Fallbacks, string? CreatedBy, DateTime? CreatedAt, DateTime? UpdatedAt);

/// <summary>What came of a test call: an answer, or why there was none.</summary>
public sealed record AgentTestView(
    string? Output, bool IsCut, TimeSpan Latency, string? Model, long? InputTokens, long? OutputTokens, decimal? CostUsd,
    string? FinishReason, string? Fault);
