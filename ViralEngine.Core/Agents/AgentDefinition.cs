namespace ViralEngine.Core.Agents;

/// <summary>How an agent's provider is spoken to.</summary>
public enum AgentKind
{
    /// <summary>Built in and deterministic: gives the description back, as slowly or wrongly as its settings say.</summary>
    Echo,

    /// <summary>POSTs the task to a URL of the tenant's.</summary>
    Http,

    /// <summary>Speaks the OpenAI chat-completions protocol.</summary>
    OpenAi,
}

public static class AgentKinds
{
    public static readonly IReadOnlyDictionary<string, AgentKind> ByName =
        new[] { AgentKind.Echo, AgentKind.Http, AgentKind.OpenAi }.ToDictionary(ToText);

    /// <summary>As the API and the database spell it: <c>openai</c>.</summary>
    public static string ToText(this AgentKind kind) => kind switch
    {
        AgentKind.Echo => "echo",
        AgentKind.Http => "http",
        _ => "openai",
    };
}

/// <summary>An agent ready to run.</summary>
/// <param name="Id">None for the built-in ones.</param>
/// <param name="Name">Unique in the tenant; <c>echo</c> and <c>http</c> are the built-in ones.</param>
/// <param name="Kind">Which provider runs it.</param>
/// <param name="Settings">Of the type that belongs to <paramref name="Kind"/>.</param>
/// <param name="ApiKey">Decrypted; never logged, never returned.</param>
/// <param name="FallbackAgentIds">Tried in order when this agent fails for good.</param>
public sealed record AgentDefinition(
    Guid? Id,
    string Name,
    AgentKind Kind,
    AgentSettings Settings,
    string? ApiKey,
    IReadOnlyList<Guid> FallbackAgentIds)
{
    /// <summary>An alert lets its work wait.</summary>
    public bool IsPaused { get; init; }

    // The generated one would print the key.
    public override string ToString() => $"{Name} ({Kind}, {Id?.ToString() ?? "built in"})";
}
