using System.Text;
using System.Text.Json;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Runs one small call of an agent, without fallbacks or retries, so that a user sees whether it works.</summary>
public sealed class TestAgent(AgentDirectory directory, AgentProviders providers, PriceTable prices, TimeProvider time)
{
    public const int MaxOutputLength = 64 * 1024;
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public abstract record Outcome
    {
        private Outcome()
        {
        }

        public sealed record Answered(string Output, bool Truncated, TimeSpan Latency, AgentChunk.Usage? Usage, decimal? CostUsd)
            : Outcome;

        public sealed record Failed(AgentException Failure) : Outcome;

        public sealed record NotFound : Outcome;
    }

    public async Task<Outcome> RunAsync(
        TenantId tenant, string agentId, string description, JsonElement? input, CancellationToken ct)
    {
        if (await directory.LoadChainAsync(tenant, agentId, ct) is not [var agent, ..])
            return new Outcome.NotFound();

        var call = new AgentCall(tenant.Value, RowId.New(), 1, agent, description, input, Timeout);
        var started = time.GetTimestamp();
        var output = new StringBuilder();
        AgentChunk.Usage? usage = null;
        try
        {
            await foreach (var chunk in providers.For(agent.Kind).RunAsync(call, ct))
            {
                if (chunk is AgentChunk.Text(var text))
                    output.Append(text);
                usage = chunk as AgentChunk.Usage ?? usage;
                if (output.Length > MaxOutputLength)
                    break;
            }
        }
        catch (AgentException e)
        {
            return new Outcome.Failed(e);
        }

        var truncated = output.Length > MaxOutputLength;
        return new Outcome.Answered(
            truncated ? output.ToString(0, MaxOutputLength) : output.ToString(),
            truncated,
            time.GetElapsedTime(started),
            usage,
            usage is null ? null : prices.CostOf(agent.Settings, usage));
    }
}
