using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.Http;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Tests.Agents;

namespace ViralEngine.Core.Tests.Flow;

/// <summary>Calls of one tenant to one provider, and what they wait for.</summary>
internal static class FlowCalls
{
    /// <summary>Tokens that are estimated for each call: 500 of output, and a quarter of the characters.</summary>
    public const int Estimate = 502;

    public static AgentCall New(Guid tenant, int? requests = null, int? tokens = null, int? concurrency = null) => new(
        tenant, Guid.CreateVersion7(), 1,
        AgentBench.Http(
            "https://provider.example/",
            new HttpSettings { RequestsPerMinute = requests, TokensPerMinute = tokens, MaxConcurrency = concurrency }),
        "say hello", null, TimeSpan.FromSeconds(60));

    public static async Task<FlowPass> StartAsync(this FlowControl flow, AgentCall call) =>
        (await flow.EnterAsync(call, null, CancellationToken.None))!;

    /// <summary>What a call waits for, which is then given up; null if it starts at once.</summary>
    public static async Task<WaitReason?> WaitsForAsync(this FlowControl flow, AgentCall call)
    {
        WaitReason? told = null;
        using var givenUp = new CancellationTokenSource();
        try
        {
            await flow.EnterAsync(call, GiveUp, givenUp.Token);
        }
        catch (AgentException e)
        {
            told = e.WaitsFor;
        }
        catch (OperationCanceledException)
        {
            // It has been told.
        }

        return told;

        void GiveUp(WaitReason? reason)
        {
            if (reason is null)
                return;
            told = reason;
            givenUp.Cancel();
        }
    }
}
