using System.Text;
using System.Text.Json;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Makes one call to an agent, without fallbacks or retries, so that a user sees whether it works.</summary>
public sealed class TestAgent(AgentDirectory directory, AgentProviders providers, PriceTable prices, TimeProvider time)
{
    public const int MaxOutputLength = 64 * 1024;
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public abstract record Outcome
    {
        private Outcome()
        {
        }

        public sealed record Answered(
            string Output, bool Truncated, TimeSpan Latency, AgentChunk.Usage? Usage, decimal? CostUsd)
            : Outcome
        {
            public string? FinishReason { get; init; }
        }

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
        string? finish = null;
        try
        {
            await foreach (var chunk in providers.For(agent.Kind).RunAsync(call, ct))
            {
                // Read to the end although only the beginning is shown, because usage comes last.
                if (chunk is AgentChunk.Text(var text) && output.Length <= MaxOutputLength)
                    output.Append(text);
                usage = chunk as AgentChunk.Usage ?? usage;
                finish = (chunk as AgentChunk.Finish)?.Reason ?? finish;
            }
        }
        catch (AgentException e) when (output.Length <= MaxOutputLength)
        {
            return new Outcome.Failed(e);
        }
        catch (AgentException)
        {
            // Long enough to show that the agent works.
        }

        var truncated = output.Length > MaxOutputLength;
        return new Outcome.Answered(
            truncated ? output.ToString(0, MaxOutputLength) : output.ToString(),
            truncated,
            time.GetElapsedTime(started),
            usage,
            usage is null ? null : prices.CostOf(agent.Settings, usage))
        {
            FinishReason = finish,
        };
    }
}
