using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>What an agent of any kind can be told; see the record of each kind for the rest.</summary>
public abstract record AgentSettings
{
    private protected AgentSettings()
    {
    }

    /// <summary>The most one call may take, when that is less than the task allows. 1 to 3600.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>
    /// The longest silence once an answer has begun; 60 when not given. 1 to 3600. Any byte ends it: a comment, a thought.
    /// </summary>
    public int? IdleTimeoutSeconds { get; init; }

    /// <summary>The longest wait for the first text of an answer, thoughts not counted; none when not given. 1 to 3600.</summary>
    public int? FirstTextTimeoutSeconds { get; init; }

    /// <summary>What becomes of an answer that the provider ended at a limit of tokens.</summary>
    public OnTruncated OnTruncated { get; init; }

    /// <summary>What this agent's tokens cost, when the price table does not know or says otherwise.</summary>
    public TokenPrice? Price { get; init; }

    /// <summary>How many calls a minute the provider allows, of all that share host, key and model. 1 to 1,000,000.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>How many tokens a minute it allows, input and output together. 1 to 1,000,000,000.</summary>
    public int? TokensPerMinute { get; init; }

    /// <summary>How many calls it allows at a time. 1 to 100,000.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>Where the secrets go, as <c>scheme://host:port</c>: when it changes, they must be given again.</summary>
    public abstract string? FindOrigin();

    /// <summary>Reads an agent's settings as a user wrote them.</summary>
    /// <returns>Null when <paramref name="errors"/> got what is wrong, by field.</returns>
    public static AgentSettings? Read(AgentKind kind, JsonElement settings, SettingsRules rules, SettingsErrors errors)
    {
        if (settings.ValueKind != JsonValueKind.Object)
        {
            errors.Add("settings", "Must be an object.");
            return null;
        }

        var reader = new SettingsReader(settings, "settings", errors);
        AgentSettings read = kind switch
        {
            AgentKind.Echo => EchoSettings.Read(reader),
            AgentKind.Http => HttpSettings.Read(reader, rules),
            _ => OpenAiSettings.Read(reader, rules),
        };
        read = read with
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

    /// <summary>Who answers, for messages: <c>groq (api.groq.com)</c>.</summary>
    internal abstract string Label(AgentCall call);

    private static readonly Dictionary<string, OnTruncated> TruncatedWords = new()
    {
        ["complete"] = OnTruncated.Complete,
        ["fail"] = OnTruncated.Fail,
    };
}

/// <summary>What becomes of an answer whose finish reason is <c>length</c>.</summary>
public enum OnTruncated
{
    /// <summary>It is taken; its finish reason says what it is.</summary>
    Complete,

    /// <summary>The call fails, and the next fallback is asked.</summary>
    Fail,
}
