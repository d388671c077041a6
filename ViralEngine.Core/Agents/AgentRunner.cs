using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Calls an agent and, if it fails, its fallbacks in order. The caller is responsible for retries.</summary>
public sealed partial class AgentRunner(
    AgentDirectory agents, AgentProviders providers, AnswerMemory memory, PriceTable prices, TimeProvider time,
    ILogger<AgentRunner> logger)
{
    public static readonly ActivitySource Source = new("ViralEngine");

    private static readonly TimeSpan TimeoutGrace = TimeSpan.FromSeconds(5);

    /// <summary>The longest answer, in characters.</summary>
    private const int MaxAnswer = 10_000_000;

    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);

    /// <summary>How often a paused agent is checked.</summary>
    private static readonly TimeSpan WhilePaused = TimeSpan.FromSeconds(10);

    /// <summary>Loads an agent and its fallbacks, to be used for many calls.</summary>
    public async Task<AgentChain> LoadAsync(TenantId tenant, string agentId, CancellationToken ct)
    {
        try
        {
            return new AgentChain(await agents.LoadChainAsync(tenant, agentId, ct), null);
        }
        catch (Exception e) when (IsOurs(e))
        {
            LogNotLoaded(logger, e, agentId);
            return new AgentChain([], new AgentOutcome.Failed(
                ErrorClass.Internal,
                $"The agent could not be read ({e.GetType().Name}). Save it again, with its secrets.", null, agentId));
        }
    }

    /// <exception cref="OperationCanceledException">Only when <paramref name="ct"/> was cancelled.</exception>
    public async Task<AgentOutcome> RunAsync(
        TenantId tenant, AgentChain agentChain, AgentWork work, IAnswerSink sink, CancellationToken ct)
    {
        var (chain, failure) = agentChain;
        if (chain is [{ IsPaused: true }, ..])
            return new AgentOutcome.Held(WaitReason.Alert, WhilePaused);
        if (memory.IsFull)
            return new AgentOutcome.Held(WaitReason.Memory, ShortestWait);
        AgentOutcome.Held? held = null;
        var called = false;
        for (var i = 0; i < chain.Count; i++)
        {
            if (i > 0)
                sink.Reset();
            try
            {
                return await StreamAsync(tenant, work, chain[i], sink, ct);
            }
            catch (AgentException e)
            {
                // Waiting is not a failure, but a fallback may not have to wait.
                if (e.WaitsFor is { } reason)
                {
                    held = AgentOutcome.Held.Shorter(held, new AgentOutcome.Held(reason, e.RetryAfter ?? ShortestWait));
                }
                else
                {
                    called = true;
                    LogFailed(logger, work.Id, work.Attempt, chain[i].Name, e.ErrorClass, e.Message);
                }

                failure = AgentOutcome.Failed.Merge(
                    failure, new AgentOutcome.Failed(e.ErrorClass, e.Message, e.RetryAfter, chain[i].Name));
                // The request itself is invalid: another agent would reject it too.
                if (e.ErrorClass == ErrorClass.InvalidRequest)
                    break;
            }
        }

        if (!called && held is not null)
            return held;
        return failure ?? new AgentOutcome.Failed(
            ErrorClass.InvalidRequest, $"The agent '{work.AgentId}' no longer exists.", null, work.AgentId);
    }

    private async Task<AgentOutcome.Answered> StreamAsync(
        TenantId tenant, AgentWork work, AgentDefinition agent, IAnswerSink sink, CancellationToken ct)
    {
        using var activity = Source.StartActivity("agent.call", ActivityKind.Client);
        activity?.SetTag("gen_ai.agent.name", agent.Name).SetTag("viral.agent.kind", agent.Kind.ToString());
        var call = new AgentCall(tenant.Value, work.Id, work.Attempt, agent, work.Description, work.Input, work.Timeout)
        {
            Starting = work.Starting,
        };
        await using var pass = providers.Flow is { } flow ? await flow.EnterAsync(call, work.Waits, ct) : null;
        if (pass is not null)
            call = call with { Observer = pass.Observe };
        using var metrics = new CallMetrics(agent, time);
        // The provider's own time-out ends a call first; this one ends anything that hangs around it. Waiting for a
        // turn does not count.
        using var timeout = new CancellationTokenSource(work.Timeout + TimeoutGrace, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        AgentUsage? usage = null;
        string? finish = null;
        try
        {
            await using var chunks = providers.For(agent.Kind).RunAsync(call, linked.Token)
                .GetAsyncEnumerator(linked.Token);
            while (true)
            {
                var next = chunks.MoveNextAsync();
                if (!next.IsCompleted)
                    sink.Flush();
                if (!await next)
                    break;

                switch (chunks.Current)
                {
                    case AgentChunk.Text(var text):
                        metrics.Answering();
                        sink.Add(text);
                        if (sink.Length > MaxAnswer)
                            throw new AgentException(
                                ErrorClass.TooLarge, $"The answer is longer than {MaxAnswer:N0} characters.");
                        break;
                    case AgentChunk.Progress(var fraction, var message):
                        await sink.ReportAsync(fraction, message, linked.Token);
                        break;
                    case AgentChunk.Usage used:
                        usage = new AgentUsage(
                            used.InputTokens, used.OutputTokens, prices.CostOf(agent.Settings, used));
                        break;
                    case AgentChunk.Finish(var reason):
                        finish = reason;
                        break;
                }
            }

            pass?.Answered(usage);
            if (finish == FinishReasons.Length && agent.Settings.OnTruncated == OnTruncated.Fail)
            {
                throw new AgentException(
                    ErrorClass.Truncated, $"{agent.Settings.Label(call)} ended the answer at its token limit.");
            }

            return new AgentOutcome.Answered(agent.Name, finish, metrics.TimeToFirstToken);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            activity?.SetStatus(ActivityStatusCode.Error, ErrorClass.Timeout.ToApiName());
            metrics.Failed(ErrorClass.Timeout);
            throw new AgentException(ErrorClass.Timeout, $"No complete answer within {work.Timeout.TotalSeconds:0} s.");
        }
        catch (AgentException e)
        {
            if (e.WaitsFor is null)
            {
                pass?.Failed(e);
                metrics.Failed(e.ErrorClass);
            }
            else
            {
                metrics.NotMade();
            }

            activity?.SetStatus(ActivityStatusCode.Error, e.ErrorClass.ToApiName());
            throw;
        }
        catch (Exception e) when (IsOurs(e))
        {
            activity?.SetStatus(ActivityStatusCode.Error, ErrorClass.Internal.ToApiName());
            metrics.Failed(ErrorClass.Internal);
            LogUnforeseen(logger, e, work.Id, work.Attempt, agent.Name);
            throw new AgentException(
                ErrorClass.Internal, $"The call failed with an internal error ({e.GetType().Name}), which is logged.",
                inner: e);
        }
        finally
        {
            if (usage is not null)
            {
                sink.Use(usage);
                metrics.Used(usage.InputTokens, usage.OutputTokens);
            }
        }
    }

    /// <summary>
    /// An unexpected error fails only this work, not its neighbours or the process. A lost database connection is
    /// passed on, because the failure could not be stored.
    /// </summary>
    private static bool IsOurs(Exception e) =>
        e is not (OperationCanceledException or AgentException) && !DbFault.IsAway(e);

    [LoggerMessage(1, LogLevel.Warning, "Agent {Agent} failed attempt {Attempt} of {WorkId}: {ErrorClass}, {Reason}")]
    private static partial void LogFailed(
        ILogger logger, Guid workId, int attempt, string agent, ErrorClass errorClass, string reason);

    [LoggerMessage(2, LogLevel.Error, "Agent {Agent} failed attempt {Attempt} of {WorkId} with an unexpected error")]
    private static partial void LogUnforeseen(
        ILogger logger, Exception exception, Guid workId, int attempt, string agent);

    [LoggerMessage(3, LogLevel.Error, "Agent {AgentId} could not be read; its work fails until it is saved again")]
    private static partial void LogNotLoaded(ILogger logger, Exception exception, string agentId);
}

/// <summary>An agent and its fallbacks, in the order in which they are called.</summary>
/// <param name="Failure">Why they could not be loaded.</param>
public sealed record AgentChain(IReadOnlyList<AgentDefinition> Agents, AgentOutcome.Failed? Failure);

/// <summary>A piece of work for an agent: an attempt of a task or batch item.</summary>
/// <param name="Id">The id of the task or item.</param>
/// <param name="Attempt">Numbered from 1, counting failures.</param>
/// <param name="Timeout">The time limit for each agent of the chain.</param>
public sealed record AgentWork(
    Guid Id, int Attempt, string AgentId, string Description, JsonElement? Input, TimeSpan Timeout)
{
    /// <summary>Called with what the call waits for, and with null once it no longer waits.</summary>
    public Action<WaitReason?>? Waits { get; init; }

    /// <summary>Awaited right before each call of a provider; cancelled if the call must not be made.</summary>
    public required Func<CancellationToken, Task> Starting { get; init; }
}

/// <param name="CostUsd">By the agent's price or the price table; null if neither has a price for the model.</param>
public sealed record AgentUsage(long InputTokens, long OutputTokens, decimal? CostUsd)
{
    /// <summary>The sum; if only one has a cost, the sum has it.</summary>
    public static AgentUsage Sum(AgentUsage? a, AgentUsage b) => a is null
        ? b
        : new AgentUsage(
            a.InputTokens + b.InputTokens,
            a.OutputTokens + b.OutputTokens,
            a.CostUsd is null && b.CostUsd is null ? null : (a.CostUsd ?? 0) + (b.CostUsd ?? 0));
}

/// <summary>The outcome of calling an agent and its fallbacks.</summary>
public abstract record AgentOutcome
{
    /// <param name="FinishReason">Why the answer ended, if the provider says so.</param>
    /// <param name="TimeToFirstToken">From the call of this agent; null if the answer is empty.</param>
    public sealed record Answered(string Agent, string? FinishReason, TimeSpan? TimeToFirstToken) : AgentOutcome;

    /// <summary>None of the agents could be called yet.</summary>
    /// <param name="Wait">The time to wait before retrying.</param>
    public sealed record Held(WaitReason Reason, TimeSpan Wait) : AgentOutcome
    {
        internal static Held Shorter(Held? before, Held latest) =>
            before is null || latest.Wait < before.Wait ? latest : before;
    }

    /// <summary>None of the agents answered.</summary>
    public sealed record Failed(ErrorClass Class, string Message, TimeSpan? RetryAfter, string Agent) : AgentOutcome
    {
        /// <summary>
        /// Combines the failures of several agents: retryable if any of them is, after the shortest wait that any asked
        /// for.
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
