namespace ViralEngine.Core.Agents;

/// <summary>The kind of provider an agent calls.</summary>
public enum AgentKind
{
    /// <summary>Built in and deterministic: returns the description, as slowly or wrongly as configured.</summary>
    Echo,

    /// <summary>POSTs the task to one of the tenant's URLs.</summary>
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
/// <param name="Id">Null for built-in agents.</param>
/// <param name="Name">Unique in the tenant; <c>echo</c> and <c>http</c> are the built-in ones.</param>
/// <param name="Kind">Which provider runs it.</param>
/// <param name="Settings">Of the type for <paramref name="Kind"/>.</param>
/// <param name="ApiKey">Decrypted; never logged, never returned.</param>
/// <param name="FallbackAgentIds">Tried in order when this agent fails permanently.</param>
public sealed record AgentDefinition(
    Guid? Id,
    string Name,
    AgentKind Kind,
    AgentSettings Settings,
    string? ApiKey,
    IReadOnlyList<Guid> FallbackAgentIds)
{
    /// <summary>An alert has paused the agent: its work waits.</summary>
    public bool IsPaused { get; init; }

    // The generated one would print the key.
    public override string ToString() => $"{Name} ({Kind}, {Id?.ToString() ?? "built in"})";
}
