using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.Echo;
using ViralEngine.Core.Agents.Guards;
using ViralEngine.Core.Agents.Http;
using ViralEngine.Core.Agents.OpenAi;
using ViralEngine.Core.Outgoing;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Agents;

/// <summary>What counts as silence of a provider, and what does not.</summary>
public sealed class SilenceTests : IDisposable
{
    private readonly OutgoingHttp outgoing = new(
        Options.Create(new OutgoingOptions { AllowedNetworks = ["127.0.0.0/8"] }));
    private readonly FakeTimeProvider clock = new();

    public static TheoryData<AgentKind, string> SignsOfLife => new()
    {
        { AgentKind.OpenAi, ": keep-alive\n\n" },
        { AgentKind.OpenAi, "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n" },
        { AgentKind.OpenAi, "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0}]}}]}\n\n" },
        { AgentKind.OpenAi, "data: {\"choices\":[]}\n\n" },
        { AgentKind.OpenAi, "\n" },
        { AgentKind.Http, ": keep-alive\n\n" },
        { AgentKind.Http, "event: thought\ndata: hm\n\n" },
    };

    /// <summary>The server sends the next sign only when the one before was heard.</summary>
    [Theory]
    [MemberData(nameof(SignsOfLife))]
    public async Task Every_sign_of_life_is_heard(AgentKind kind, string sign)
    {
        var heard = new SemaphoreSlim(0);
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 5; i++)
            {
                await http.Response.WriteAsync(sign);
                await http.Response.Body.FlushAsync();
                if (!await heard.WaitAsync(TimeSpan.FromSeconds(30)))
                    http.Abort();
            }

            await http.Response.WriteAsync(kind == AgentKind.Http ? "event: done\ndata:\n\n" : "data: [DONE]\n\n");
        });
        var agent = kind == AgentKind.Http ? AgentBench.Http(server.Url) : AgentBench.OpenAi(server.Url);
        var options = Options.Create(new AgentsOptions());
        var memory = new AnswerMemory(options);
        IAgentProvider provider = kind == AgentKind.Http
            ? new HttpProvider(outgoing, memory, options, TimeProvider.System)
            : new OpenAiProvider(outgoing, memory, options, TimeProvider.System);

        var call = CallOf(agent) with { Heard = () => heard.Release() };
        var chunks = await provider.RunAsync(call, default).ToListAsync();

        Assert.Empty(chunks.OfType<AgentChunk.Text>());
    }

    [Fact]
    public async Task A_provider_that_is_heard_is_not_silent()
    {
        var chunks = await RunAsync(new Script(clock, hears: true), new EchoSettings { IdleTimeoutSeconds = 10 });

        Assert.Equal("begun ended", AgentBench.TextOf(chunks));
    }

    [Fact]
    public async Task One_that_is_not_heard_is_silent()
    {
        var failure = await Assert.ThrowsAsync<AgentException>(
            () => RunAsync(new Script(clock, hears: false), new EchoSettings { IdleTimeoutSeconds = 10 }));

        Assert.Equal(ErrorClass.Timeout, failure.ErrorClass);
        Assert.Equal("echo started to answer and then sent nothing for 10 s.", failure.Message);
    }

    [Theory]
    [InlineData(false, HostEvidence.Failing)]
    [InlineData(true, HostEvidence.None)]
    public async Task Only_long_silence_tells_about_a_host(bool hears, HostEvidence expected)
    {
        var failure = await Assert.ThrowsAsync<AgentException>(
            () => RunAsync(
                new Script(clock, hears), new EchoSettings { TimeoutSeconds = 40, IdleTimeoutSeconds = 100 }));

        Assert.Equal(ErrorClass.Timeout, failure.ErrorClass);
        Assert.Equal(expected, failure.Evidence);
    }

    public void Dispose() => outgoing.Dispose();

    private async Task<List<AgentChunk>> RunAsync(Script script, EchoSettings settings) =>
        await new BoundedProvider(script, Options.Create(new AgentsOptions()), clock)
            .RunAsync(CallOf(AgentBench.Echo(settings)), default).ToListAsync();

    private static AgentCall CallOf(AgentDefinition agent) => new(
        Guid.CreateVersion7(), Guid.CreateVersion7(), 1, agent, "say hello", null, TimeSpan.FromSeconds(3000));

    /// <summary>Says something, then for 56 seconds nothing but, perhaps, signs of life.</summary>
    private sealed class Script(FakeTimeProvider clock, bool hears) : IAgentProvider
    {
        public async IAsyncEnumerable<AgentChunk> RunAsync(
            AgentCall call, [EnumeratorCancellation] CancellationToken ct)
        {
            yield return new AgentChunk.Text("begun ");
            for (var i = 0; i < 7; i++)
            {
                await Task.Yield();
                clock.Advance(TimeSpan.FromSeconds(8));
                ct.ThrowIfCancellationRequested();
                if (hears)
                    call.Heard!();
            }

            yield return new AgentChunk.Text("ended");
        }
    }
}
