namespace ViralEngine.Core.Agents;

/// <summary>What an agent of one kind can be told; see the record of each kind.</summary>
public abstract record AgentSettings
{
    private protected AgentSettings()
    {
    }
}
