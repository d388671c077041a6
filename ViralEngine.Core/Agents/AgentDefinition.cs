namespace ViralEngine.Core.Agents;

/// <summary>An agent ready to run.</summary>
/// <param name="Id">Null for built-in agents.</param>
/// <param name="Name">Unique in the tenant; <c>echo</c> and <c>http</c> are the built-in ones.</param>
/// <param name="Settings">Of the type for its kind.</param>
/// <param name="ApiKey">Decrypted; never logged, never returned.</param>
/// <param name="FallbackAgentIds">Tried in order when this agent fails permanently.</param>
public sealed record AgentDefinition(
    Guid? Id,
    string Name,
    AgentSettings Settings,
    string? ApiKey,
    IReadOnlyList<Guid> FallbackAgentIds)
{
    /// <summary>Which provider runs it.</summary>
    public AgentKind Kind => Settings.Kind;

    /// <summary>An alert has paused the agent: its work waits.</summary>
    public bool IsPaused { get; init; }

    // The generated one would print the key.
    public override string ToString() => $"{Name} ({Kind}, {Id?.ToString() ?? "built in"})";
}
