using System.Text.Json;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.Echo;
using ViralEngine.Core.Agents.Http;
using ViralEngine.Core.Agents.OpenAi;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Tests.Agents;

/// <summary>Agents and calls that name only what a test is about, and a way to run them as the app does.</summary>
internal sealed class AgentBench(AgentsOptions? options = null, TimeProvider? time = null) : IDisposable
{
    private readonly OutgoingHttp outgoing = new(
        Options.Create(new OutgoingOptions { AllowedNetworks = ["127.0.0.0/8", "::1/128"] }));

    public static AgentDefinition Http(string url, HttpSettings? settings = null, string? key = null) =>
        new(Guid.CreateVersion7(), "mine", (settings ?? new HttpSettings()) with { Url = url }, key, []);

    public static AgentDefinition OpenAi(string url, string provider = "openai", string? key = "sk-secret") =>
        new(
            Guid.CreateVersion7(),
            "mine",
            new OpenAiSettings { Provider = provider, BaseUrl = url + "v1", Model = "gpt-4o" },
            key,
            []);

    public static AgentDefinition Echo(EchoSettings? settings = null) =>
        new(null, "echo", settings ?? EchoSettings.Plain, null, []);

    public IAsyncEnumerable<AgentChunk> Run(
        AgentDefinition agent,
        string description = "say hello",
        string? input = null,
        int attempt = 1,
        double timeoutSeconds = 60,
        CancellationToken ct = default)
    {
        var limits = Options.Create(options ?? new AgentsOptions());
        var providers = new AgentProviders(outgoing, new AnswerMemory(limits), limits, time ?? TimeProvider.System);
        var call = new AgentCall(
            Guid.CreateVersion7(),
            Guid.CreateVersion7(),
            attempt,
            agent,
            description,
            input is null ? null : JsonElement.Parse(input),
            TimeSpan.FromSeconds(timeoutSeconds));
        return providers.For(agent.Kind).RunAsync(call, ct);
    }

    public Task<AgentException> FailAsync(AgentDefinition agent, double timeoutSeconds = 60) =>
        Assert.ThrowsAsync<AgentException>(async () => await Run(agent, timeoutSeconds: timeoutSeconds).ToListAsync());

    public static string TextOf(IEnumerable<AgentChunk> chunks) =>
        string.Concat(chunks.OfType<AgentChunk.Text>().Select(t => t.Value));

    public void Dispose() => outgoing.Dispose();
}
