using System.Text.Json;
using System.Text.Json.Serialization;
using ViralEngine.Core.Fields;

namespace ViralEngine.Core.Agents;

/// <summary>The settings that all kinds of agents share. Each kind's record adds its own.</summary>
public abstract record AgentSettings
{
    private protected AgentSettings()
    {
    }

    /// <summary>Time limit for one call in seconds, if shorter than the task's. 1 to 3600.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>
    /// Longest silence within an answer in seconds; 60 by default. 1 to 3600. Any byte ends it, such as a comment or
    /// reasoning.
    /// </summary>
    public int? IdleTimeoutSeconds { get; init; }

    /// <summary>
    /// Longest wait for the first text of an answer in seconds, reasoning not counted; no limit by default. 1 to 3600.
    /// </summary>
    public int? FirstTextTimeoutSeconds { get; init; }

    /// <summary>What happens to an answer that the provider cut at its token limit.</summary>
    public OnTruncated OnTruncated { get; init; }

    /// <summary>The price of this agent's tokens. Overrides the price table.</summary>
    public TokenPrice? Price { get; init; }

    /// <summary>
    /// Calls per minute the provider allows, shared by all agents with the same host, key and model. 1 to 1,000,000.
    /// </summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Tokens per minute the provider allows, input and output together. 1 to 1,000,000,000.</summary>
    public int? TokensPerMinute { get; init; }

    /// <summary>Concurrent calls the provider allows. 1 to 100,000.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>
    /// Headers to send, of kinds that have some, encrypted in storage and never shown. In a request, null keeps the
    /// stored ones and an empty object removes them.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string>? SecretHeaders { get; init; }

    /// <summary>
    /// Where the secrets go, as <c>scheme://host:port</c>: if it changes, the secrets must be sent again.
    /// </summary>
    public abstract string? FindOrigin();

    /// <summary>Reads an agent's settings from a request.</summary>
    /// <returns>Null if <paramref name="errors"/> received errors.</returns>
    public static AgentSettings? Read(AgentKind kind, JsonElement settings, SettingsRules rules, FieldErrors errors)
    {
        if (settings.ValueKind != JsonValueKind.Object)
        {
            errors.Add("settings", "Must be an object.");
            return null;
        }

        var reader = new FieldReader(settings, "settings", errors);
        var read = kind.Parts().Read(reader, rules) with
        {
            TimeoutSeconds = reader.Integer("timeout_seconds", 1, 3600),
            IdleTimeoutSeconds = reader.Integer("idle_timeout_seconds", 1, 3600),
            FirstTextTimeoutSeconds = reader.Integer("first_text_timeout_seconds", 1, 3600),
            OnTruncated = reader.Choice("on_truncated", TruncatedWords) ?? OnTruncated.Complete,
            RequestsPerMinute = reader.Integer("requests_per_minute", 1, 1_000_000),
            TokensPerMinute = reader.Integer("tokens_per_minute", 1, 1_000_000_000),
            MaxConcurrency = reader.Integer("max_concurrency", 1, 100_000),
            Price = TokenPrice.Read(reader),
        };
        reader.RefuseOthers();
        return errors.Any ? null : read;
    }

    internal abstract AgentKind Kind { get; }

    /// <summary>The provider's name in messages: <c>groq (api.groq.com)</c>.</summary>
    internal abstract string Label(AgentCall call);

    /// <summary>
    /// The host and port that the call goes to, which share a circuit breaker; null if it stays here.
    /// </summary>
    internal abstract string? HostFor(AgentCall call);

    /// <summary>The model the call asks for; null if the kind has none.</summary>
    internal abstract string? RequestedModel { get; }

    /// <summary>What is sent with each description; null if nothing.</summary>
    internal abstract string? Instructions { get; }

    /// <summary>The most tokens an answer may have; null if nothing bounds it.</summary>
    internal abstract long? MaxOutputFor(long inputTokens);

    /// <summary>Whether calls without a price cost nothing. If not, a budget requires a price.</summary>
    internal abstract bool IsFreeWithoutPrice { get; }

    private static readonly Dictionary<string, OnTruncated> TruncatedWords = new()
    {
        ["complete"] = OnTruncated.Complete,
        ["fail"] = OnTruncated.Fail,
    };
}

/// <summary>What happens to an answer whose finish reason is <c>length</c>.</summary>
public enum OnTruncated
{
    /// <summary>It is accepted, with that finish reason.</summary>
    Complete,

    /// <summary>The call fails, and the next fallback is called.</summary>
    Fail,
}
