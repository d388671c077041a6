using System.Text.Json;

namespace ViralEngine.Console.Agents;

/// <summary>An agent for pages. A built-in agent's id is its name.</summary>
/// <param name="ApiKey">The visible part of its key; null without a key.</param>
public sealed record AgentView(
    string Id, string Name, string? Description, string Kind, bool IsBuiltIn, JsonElement Settings, string? ApiKey,
    IReadOnlyList<string> SecretHeaders, IReadOnlyList<Guid> Fallbacks, string? CreatedBy, DateTime? CreatedAt,
    DateTime? UpdatedAt);

/// <summary>The result of a test call: an answer or an error.</summary>
public sealed record AgentTestView(
    string? Output, bool IsCut, TimeSpan Latency, string? Model, long? InputTokens, long? OutputTokens,
    decimal? CostUsd,
    string? FinishReason, string? Fault);
