using ViralEngine.Core.Agents.Echo;
using ViralEngine.Core.Agents.Http;

namespace ViralEngine.Core.Agents;

/// <summary>The agents that every tenant has. They are referenced by name, others by id.</summary>
public static class BuiltInAgents
{
    public const string Echo = "echo";
    public const string Http = "http";

    private static readonly AgentDefinition EchoAgent = new(null, Echo, EchoSettings.Plain, null, []);
    private static readonly AgentDefinition HttpAgent = new(null, Http, new HttpSettings(), null, []);

    public static AgentDefinition? Find(string name) => name switch
    {
        Echo => EchoAgent,
        Http => HttpAgent,
        _ => null,
    };
}
