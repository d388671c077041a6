using System.Text.Json;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Agents;

/// <summary>Runs one attempt of a task at an agent's provider and streams what it answers.</summary>
public interface IAgentProvider
{
    /// <summary>
    /// Calls the provider once: retries and fallbacks are the caller's. Text chunks in order make up the answer. Usage comes
    /// as soon as the provider tells it, so that it counts whatever comes of the call; where it comes again, the last counts.
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
    TimeSpan Timeout)
{
    /// <summary>Told of each answer as its headers come.</summary>
    public Action<HttpResponseMessage>? Observer { get; init; }

    /// <summary>To be called whenever bytes of the answer arrive, whatever they are: they prove life.</summary>
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

    /// <summary>How far the work is, 0 to 1.</summary>
    public sealed record Progress(double Fraction, string? Message) : AgentChunk
    {
        public const int MaxMessageLength = 2000;

        public string? Message { get; } = Message is null ? null : OutsideText.Of(Message, MaxMessageLength);
    }

    /// <summary>The model works on what is no text of the answer: it thinks, or prepares a call.</summary>
    public sealed record Working : AgentChunk;

    /// <summary>What the call has used so far, as the provider counts it.</summary>
    public sealed record Usage(long InputTokens, long OutputTokens, string? Model) : AgentChunk
    {
        public const int MaxModelLength = 200;

        /// <summary>Above what any model takes or gives in one call.</summary>
        private const long MostTokens = 100_000_000;

        public string? Model { get; } = Model is null ? null : OutsideText.Of(Model, MaxModelLength);

        /// <summary>Numbers that cannot be are not counted: what was estimated before the call stands.</summary>
        internal bool IsPossible => InputTokens is >= 0 and <= MostTokens && OutputTokens is >= 0 and <= MostTokens;
    }

    /// <summary>The provider counted, but to a number that cannot be.</summary>
    public sealed record ImpossibleUsage : AgentChunk;

    /// <summary>Why the answer ended, where the provider says so; see <see cref="FinishReasons"/>.</summary>
    public sealed record Finish(string Reason) : AgentChunk;
}
