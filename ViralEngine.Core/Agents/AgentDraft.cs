namespace ViralEngine.Core.Agents;

/// <summary>An agent as a user wants it, checked as far as that goes without the database.</summary>
/// <param name="Kind">Cannot be changed later.</param>
/// <param name="ApiKey">Null: none, or (with <paramref name="KeepsApiKey"/>) the one there is.</param>
/// <param name="KeepsApiKey">The user said nothing about the key. An explicit null removes it.</param>
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
