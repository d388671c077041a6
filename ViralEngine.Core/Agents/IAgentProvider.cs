using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>Runs one attempt of a task at an agent's provider and streams what it answers.</summary>
public interface IAgentProvider
{
    /// <summary>
    /// Calls the provider once: retries and fallbacks are the caller's. Text chunks in order make up the answer; usage
    /// comes at most once, last.
    /// </summary>
    /// <exception cref="AgentException">The provider failed; its class says whether another attempt may help.</exception>
    /// <exception cref="OperationCanceledException">Only when <paramref name="ct"/> was cancelled; a time-out is an
    /// <see cref="AgentException"/> of class <see cref="ErrorClass.Timeout"/>.</exception>
    IAsyncEnumerable<AgentChunk> RunAsync(AgentCall call, CancellationToken ct);
}

/// <summary>One attempt to run a task.</summary>
/// <param name="TenantId">Whose task it is.</param>
/// <param name="TaskId">Stable over attempts, so a provider may use it with <paramref name="Attempt"/> to tell repeats.</param>
/// <param name="Attempt">From 1.</param>
/// <param name="Agent">What runs it, secrets decrypted.</param>
/// <param name="Description">What is asked, in words.</param>
/// <param name="Input">Structured input, if any.</param>
/// <param name="Timeout">The most the whole call may take.</param>
public sealed record AgentCall(
    Guid TenantId,
    Guid TaskId,
    int Attempt,
    AgentDefinition Agent,
    string Description,
    JsonElement? Input,
    TimeSpan Timeout);

/// <summary>A piece of a provider's answer.</summary>
public abstract record AgentChunk
{
    private AgentChunk()
    {
    }

    /// <summary>The next piece of the answer's text, never empty.</summary>
    public sealed record Text(string Value) : AgentChunk;

    /// <summary>How far the work is, 0 to 1.</summary>
    public sealed record Progress(double Fraction, string? Message) : AgentChunk;

    /// <summary>What the call used, as the provider counts it.</summary>
    public sealed record Usage(long InputTokens, long OutputTokens, string? Model) : AgentChunk;
}
