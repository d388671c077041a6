using System.Runtime.CompilerServices;
using ViralEngine.Core.Breakers;
using ViralEngine.Core.Flow;

namespace ViralEngine.Core.Agents.Guards;

/// <summary>
/// Calls a provider through its host's breaker: while it is open, calls fail immediately, so that a fallback is called.
/// After a Retry-After, this tenant does not call the provider until then.
/// </summary>
internal sealed class BreakerProvider(
    IAgentProvider inner, CircuitBreakers breakers, BreakerRegister register, TimeProvider time)
    : IAgentProvider
{
    private static readonly TimeSpan MaxPause = TimeSpan.FromHours(1);

    public async IAsyncEnumerable<AgentChunk> RunAsync(AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        if (call.Host is not { } host)
        {
            await foreach (var chunk in inner.RunAsync(call, ct))
                yield return chunk;
            yield break;
        }

        // Limits apply to accounts, not hosts: another tenant's, key's or model's 429 is no reason to wait.
        var group = FlowGroup.Of(call)!.Key;
        if (await register.OpenUntilAsync(group) is { } paused && paused > time.GetUtcNow())
        {
            throw new AgentException(
                ErrorClass.RateLimited, $"{host} asked for a pause until {paused:HH:mm:ss} UTC.",
                paused - time.GetUtcNow())
            {
                WaitsFor = WaitReason.Provider,
            };
        }

        await using var pass = await EnterAsync(call.TenantId, host);
        await using var chunks = inner.RunAsync(call, ct).GetAsyncEnumerator(ct);
        while (await MoveNextAsync(chunks, pass, call, group))
            yield return chunks.Current;
        await pass.ReportAsync(failed: false);
    }

    private async Task<BreakerPass> EnterAsync(Guid tenant, string host)
    {
        try
        {
            return await breakers.EnterAsync(tenant, host);
        }
        catch (BreakerOpenException e)
        {
            throw new AgentException(
                ErrorClass.Unavailable, e.Message, e.RetryAfter, e)
            { WaitsFor = WaitReason.Provider };
        }
    }

    private async Task<bool> MoveNextAsync(
        IAsyncEnumerator<AgentChunk> chunks, BreakerPass pass, AgentCall call, string group)
    {
        try
        {
            return await chunks.MoveNextAsync();
        }
        catch (AgentException e)
        {
            if (e.Evidence != HostEvidence.None)
                await pass.ReportAsync(e.Evidence == HostEvidence.Failing);
            if (e is { ErrorClass: ErrorClass.RateLimited, RetryAfter: { } wait } && wait > TimeSpan.Zero)
                await register.OpenAsync(group, wait < MaxPause ? wait : MaxPause, again: true);
            throw;
        }
    }
}
