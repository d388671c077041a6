namespace ViralEngine.Core.Agents;

/// <summary>What of an agent is encrypted in storage and never shown.</summary>
internal sealed record AgentSecrets(string? ApiKey, IReadOnlyDictionary<string, string>? Headers)
{
    public bool Any => ApiKey is not null || Headers is { Count: > 0 };

    // The generated one would print them.
    public override string ToString() => nameof(AgentSecrets);

    /// <summary>Sealed for the one agent: moved to another row it does not open.</summary>
    public static string PurposeOf(Guid agentId) => $"agent:{agentId}";
}
