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

    /// <summary>The longest silence between two pieces of an answer, once it has begun; 60 when not given. 1 to 3600.</summary>
    public int? IdleTimeoutSeconds { get; init; }

    /// <summary>What this agent's tokens cost, when the price table does not know or says otherwise.</summary>
    public TokenPrice? Price { get; init; }

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
            Price = TokenPrice.Read(reader),
        };
        reader.RefuseOthers();
        return errors.Any ? null : read;
    }

    /// <summary>Who answers, for messages: <c>groq (api.groq.com)</c>.</summary>
    internal abstract string Label(AgentCall call);
}
