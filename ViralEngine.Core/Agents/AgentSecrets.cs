namespace ViralEngine.Core.Agents;

/// <summary>The parts of an agent that are encrypted in storage and never shown.</summary>
internal sealed record AgentSecrets(string? ApiKey, IReadOnlyDictionary<string, string>? Headers)
{
    public bool Any => ApiKey is not null || Headers is { Count: > 0 };

    // The generated one would print them.
    public override string ToString() => nameof(AgentSecrets);

    /// <summary>Bound to one agent: the ciphertext cannot be opened from another row.</summary>
    public static string PurposeOf(Guid agentId) => $"agent:{agentId}";
}
