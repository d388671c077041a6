using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Calls an agent and, where it cannot answer, its fallbacks in order. Retries are the caller's.</summary>
public sealed partial class AgentRunner(
    AgentDirectory agents, AgentProviders providers, PriceTable prices, TimeProvider time, ILogger<AgentRunner> logger)
{
    public static readonly ActivitySource Source = new("ViralEngine");

    /// <summary>The longest answer, in characters.</summary>
    private const int LongestAnswer = 10_000_000;

    /// <exception cref="OperationCanceledException">Only when <paramref name="ct"/> was cancelled.</exception>
    public async Task<AgentOutcome> RunAsync(TenantId tenant, AgentWork work, IAnswerSink sink, CancellationToken ct) =>
        await RunAsync(tenant, await LoadAsync(tenant, work.AgentId, ct), work, sink, ct);

    /// <summary>The agent and its fallbacks, for who runs many works with them.</summary>
    public Task<IReadOnlyList<AgentDefinition>> LoadAsync(TenantId tenant, string agentId, CancellationToken ct) =>
        agents.LoadChainAsync(tenant, agentId, ct);

    /// <exception cref="OperationCanceledException">Only when <paramref name="ct"/> was cancelled.</exception>
    public async Task<AgentOutcome> RunAsync(
        TenantId tenant, IReadOnlyList<AgentDefinition> chain, AgentWork work, IAnswerSink sink, CancellationToken ct)
    {
        AgentOutcome.Failed? failure = null;
        for (var i = 0; i < chain.Count; i++)
        {
            if (i > 0)
                sink.Reset();
            try
            {
                var usage = await StreamAsync(tenant, work, chain[i], sink, ct);
                return new AgentOutcome.Answered(chain[i].Name, usage);
            }
            catch (AgentException e)
            {
                LogFailed(logger, work.Id, work.Attempt, chain[i].Name, e.ErrorClass, e.Message);
                failure = AgentOutcome.Failed.Merge(
                    failure, new AgentOutcome.Failed(e.ErrorClass, e.Message, e.RetryAfter, chain[i].Name));
                // The request itself is at fault: another agent would say the same.
                if (e.ErrorClass == ErrorClass.InvalidRequest)
                    break;
            }
        }

        return failure ?? new AgentOutcome.Failed(
            ErrorClass.InvalidRequest, $"The agent '{work.AgentId}' does not exist any more.", null, work.AgentId);
    }

    private async Task<AgentUsage?> StreamAsync(
        TenantId tenant, AgentWork work, AgentDefinition agent, IAnswerSink sink, CancellationToken ct)
    {
        using var activity = Source.StartActivity("agent.call", ActivityKind.Client);
        activity?.SetTag("gen_ai.agent.name", agent.Name).SetTag("viral.agent.kind", agent.Kind.ToString());
        using var timeout = new CancellationTokenSource(work.Timeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        var call = new AgentCall(tenant.Value, work.Id, work.Attempt, agent, work.Description, work.Input, work.Timeout);
        AgentUsage? usage = null;
        try
        {
            await using var chunks = providers.For(agent.Kind).RunAsync(call, linked.Token).GetAsyncEnumerator(linked.Token);
            while (true)
            {
                var next = chunks.MoveNextAsync();
                if (!next.IsCompleted)
                    sink.Flush();
                if (!await next)
                    return usage;

                switch (chunks.Current)
                {
                    case AgentChunk.Text(var text):
                        sink.Add(text);
                        if (sink.Length > LongestAnswer)
                            throw new AgentException(ErrorClass.TooLarge, $"The answer is longer than {LongestAnswer:N0} characters.");
                        break;
                    case AgentChunk.Progress(var fraction, var message):
                        await sink.ReportAsync(fraction, message, linked.Token);
                        break;
                    case AgentChunk.Usage used:
                        usage = new AgentUsage(used.InputTokens, used.OutputTokens, prices.CostOf(agent.Settings, used));
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            activity?.SetStatus(ActivityStatusCode.Error, ErrorClass.Timeout.ToApiName());
            throw new AgentException(ErrorClass.Timeout, $"No complete answer within {work.Timeout.TotalSeconds:0} s.");
        }
        catch (AgentException e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.ErrorClass.ToApiName());
            throw;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Agent {Agent} failed {WorkId}, attempt {Attempt}: {ErrorClass}, {Reason}")]
    private static partial void LogFailed(
        ILogger logger, Guid workId, int attempt, string agent, ErrorClass errorClass, string reason);
}

/// <summary>What an agent is asked: a task's attempt, or a batch item's.</summary>
/// <param name="Id">The task's or item's.</param>
/// <param name="Attempt">From 1, counting failures.</param>
/// <param name="Timeout">The most that each agent of the chain may take.</param>
public sealed record AgentWork(
    Guid Id, int Attempt, string AgentId, string Description, JsonElement? Input, TimeSpan Timeout);

/// <param name="CostUsd">By the agent's price or the price table; none where neither knows the model.</param>
public sealed record AgentUsage(long InputTokens, long OutputTokens, decimal? CostUsd);

/// <summary>What came of asking an agent and its fallbacks.</summary>
public abstract record AgentOutcome
{
    public sealed record Answered(string Agent, AgentUsage? Usage) : AgentOutcome;

    /// <summary>None of them answered.</summary>
    public sealed record Failed(ErrorClass Class, string Message, TimeSpan? RetryAfter, string Agent) : AgentOutcome
    {
        /// <summary>
        /// Of several agents' failures the one that leaves hope counts: a retry may help if it may help with any. The wait is
        /// the shortest asked for.
        /// </summary>
        internal static Failed Merge(Failed? before, Failed latest)
        {
            if (before is null)
                return latest;
            var kept = before.Class.IsRetryable() && !latest.Class.IsRetryable() ? before : latest;
            var message = $"{before.Agent}: {before.Message} Then {latest.Agent}: {latest.Message}";
            var retryAfter = before.Class.IsRetryable() && latest.Class.IsRetryable()
                ? Shorter(before.RetryAfter, latest.RetryAfter)
                : kept.RetryAfter;
            return kept with { Message = message, RetryAfter = retryAfter };
        }

        private static TimeSpan? Shorter(TimeSpan? a, TimeSpan? b) => a is null || b is null ? null : a < b ? a : b;
    }
}
