using System.Text.Json;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Agents;

/// <summary>Calls an agent's provider and streams its answer.</summary>
public interface IAgentProvider
{
    /// <summary>
    /// Calls the provider once; retries and fallbacks are the caller's responsibility. Text chunks in order make up the
    /// answer. Usage is reported as soon as it is known, so that it counts even if the call fails; the last report
    /// counts.
    /// </summary>
    /// <exception cref="AgentException">The provider failed; its class says whether another attempt may
    /// help.</exception>
    /// <exception cref="OperationCanceledException">Only if <paramref name="ct"/> was cancelled; a time-out is an
    /// <see cref="AgentException"/> of class <see cref="ErrorClass.Timeout"/>.</exception>
    IAsyncEnumerable<AgentChunk> RunAsync(AgentCall call, CancellationToken ct);
}

/// <summary>One attempt to run a task.</summary>
/// <param name="TenantId">The tenant of the task.</param>
/// <param name="TaskId">Stable over attempts, so a provider can use it with <paramref name="Attempt"/> to detect
/// duplicates.</param>
/// <param name="Attempt">From 1.</param>
/// <param name="Agent">The agent, with decrypted secrets.</param>
/// <param name="Description">The prompt.</param>
/// <param name="Input">Structured input, if any.</param>
/// <param name="Timeout">The time limit for the whole call.</param>
public sealed record AgentCall(
    Guid TenantId,
    Guid TaskId,
    int Attempt,
    AgentDefinition Agent,
    string Description,
    JsonElement? Input,
    TimeSpan Timeout)
{
    /// <summary>The host and port it goes to, which share a circuit breaker; null if it stays here.</summary>
    internal string? Host => Agent.Settings.HostFor(this);

    /// <summary>Awaited right before the provider is called; cancelled if the call must not be made.</summary>
    internal Func<CancellationToken, Task>? Starting { get; init; }

    /// <summary>Called with each response once its headers have arrived.</summary>
    public Action<HttpResponseMessage>? Observer { get; init; }

    /// <summary>Must be called whenever bytes of the response arrive: they end a silence.</summary>
    internal Action? Heard { get; init; }
}

/// <summary>A piece of a provider's answer.</summary>
public abstract record AgentChunk
{
    private AgentChunk()
    {
    }

    /// <summary>The next piece of the answer's text, never empty.</summary>
    public sealed record Text(string Value) : AgentChunk;

    /// <summary>The progress of the work, 0 to 1.</summary>
    public sealed record Progress(double Fraction, string? Message) : AgentChunk
    {
        public const int MaxMessageLength = 2000;

        public string? Message { get; } = Message is null ? null : OutsideText.Of(Message, MaxMessageLength);
    }

    /// <summary>The model is producing something else than answer text, such as reasoning or a tool call.</summary>
    public sealed record Working : AgentChunk;

    /// <summary>The usage of the call so far, as the provider counts it.</summary>
    public sealed record Usage(long InputTokens, long OutputTokens, string? Model) : AgentChunk
    {
        public const int MaxModelLength = 200;

        /// <summary>More than any model accepts or returns in one call.</summary>
        private const long MaxTokens = 100_000_000;

        public string? Model { get; } = Model is null ? null : OutsideText.Of(Model, MaxModelLength);

        /// <summary>False for impossible numbers: then the estimate made before the call is used.</summary>
        internal bool IsPossible => InputTokens is >= 0 and <= MaxTokens && OutputTokens is >= 0 and <= MaxTokens;
    }

    /// <summary>The provider reported an impossible usage.</summary>
    public sealed record ImpossibleUsage : AgentChunk;

    /// <summary>Why the answer ended, if the provider says so; see <see cref="FinishReasons"/>.</summary>
    public sealed record Finish(string Reason) : AgentChunk;
}
