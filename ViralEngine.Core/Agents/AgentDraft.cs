namespace ViralEngine.Core.Agents;

/// <summary>A request for an agent, checked as far as possible without the database.</summary>
/// <param name="Kind">Cannot be changed later.</param>
/// <param name="ApiKey">Null for none, or (with <paramref name="KeepsApiKey"/>) for the stored one.</param>
/// <param name="KeepsApiKey">The request did not mention the key. An explicit null removes it.</param>
/// <param name="FallbackAgentIds">At most <see cref="MaxFallbacks"/>, each once.</param>
public sealed record AgentDraft(
    string Name,
    string? Description,
    AgentKind Kind,
    AgentSettings Settings,
    string? ApiKey,
    bool KeepsApiKey,
    IReadOnlyList<Guid> FallbackAgentIds)
{
    public const int MaxFallbacks = 5;

    // The generated one would print the key.
    public override string ToString() => $"{Name} ({Kind})";
}
