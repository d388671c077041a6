using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Runs the items of a claimed slice one after the other, for a bounded time. Many slices are run at a time, each by a call of its own.
/// </summary>
public sealed partial class SliceRunner(
    AgentRunner agents, AnswerMemory memory, TimeProvider time, ILogger<SliceRunner> logger)
{
    /// <summary>An item over which so many workers died is taken to be what kills them.</summary>
    private const int MostLost = 10;

    private const long MostBytes = 4 * 1024 * 1024;

    /// <summary>A slice that turns out slower than its lane thought gives the rest to other places.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(500);

    /// <summary>Quick agents answer without ever waiting: then others are let in this often.</summary>
    private static readonly TimeSpan LetInEvery = TimeSpan.FromMilliseconds(2);

    /// <summary>What lasts longer than this is waited for in the queue, not in a lane.</summary>
    private static readonly TimeSpan LongestWaitInLane = TimeSpan.FromSeconds(2);

    /// <summary>How soon a change of an agent shows in a lane that runs.</summary>
    private static readonly TimeSpan AgentsAreKept = TimeSpan.FromSeconds(5);

    private Dictionary<string, AgentChain> chains = [];
    private long loadedAt;

    /// <summary>The agents that the slices need, by their id. Not for concurrent use.</summary>
    internal async Task<IReadOnlyDictionary<string, AgentChain>> LoadAgentsAsync(
        TenantId tenant, LanePlan plan, IReadOnlyList<ClaimedSlice> slices)
    {
        var fresh = time.GetElapsedTime(loadedAt) < AgentsAreKept;
        var needed = slices.SelectMany(slice => slice.Items).Select(item => item.AgentId ?? plan.AgentId!).Distinct().ToList();
        if (fresh && needed.All(chains.ContainsKey))
            return chains;

        // A new one: slices that run look into the one they began with.
        var loaded = fresh ? new Dictionary<string, AgentChain>(chains) : [];
        foreach (var agentId in needed.Where(agentId => !loaded.ContainsKey(agentId)))
            loaded[agentId] = await agents.LoadAsync(tenant, agentId, CancellationToken.None);
        if (!fresh)
            loadedAt = time.GetTimestamp();
        return chains = loaded;
    }

    /// <returns>What came of those that were run; the others go back.</returns>
    internal async Task<SliceRun> RunAsync(
        TenantId tenant, LanePlan plan, ClaimedSlice slice, HeldClaim claim, CancellationToken ended)
    {
        using var answer = new ItemAnswer(memory);
        var started = time.GetTimestamp();
        var lastLetIn = started;
        var outcomes = new List<ItemOutcome>(slice.Items.Count);
        var bytes = 0L;
        AgentOutcome.Held? held = null;
        foreach (var item in slice.Items)
        {
            if (ended.IsCancellationRequested)
                break;
            if (outcomes.Count > 0 && (bytes > MostBytes || time.GetElapsedTime(started) > Longest))
                break;
            var (outcome, wait) = await RunItemAsync(tenant, plan, item, slice.Lease, answer, claim, ended);
            held = wait;
            if (outcome is null)
                break;

            outcomes.Add(outcome);
            bytes += item.Description.Length + (outcome.Result?.Length ?? 0);
            if (plan.FailureMode == FailureMode.FailFast && outcome.Status == "failed")
                break;
            if (time.GetElapsedTime(lastLetIn) > LetInEvery)
            {
                await Task.Yield();
                lastLetIn = time.GetTimestamp();
            }
        }

        var next = outcomes.Count < slice.Items.Count ? slice.Items[outcomes.Count].Number : slice.Next;
        return new SliceRun(
            new SettledSlice(slice.Lease, outcomes, Rest(outcomes, next, slice.Lease.Last, held?.Wait ?? TimeSpan.Zero)),
            outcomes.Count,
            time.GetElapsedTime(started),
            bytes,
            held);
    }

    /// <summary>
    /// What is left of the slice: the items that were not run, at once or when they need not wait any more, and those that are tried again, each not before its time.
    /// Neighbours that wait about as long share a range; what lies between them is settled and does not count.
    /// </summary>
    internal static List<SliceRest> Rest(IReadOnlyList<ItemOutcome> outcomes, int next, int last, TimeSpan wait = default)
    {
        var rest = new List<SliceRest>();
        foreach (var outcome in outcomes)
        {
            if (outcome.RetryAfter is not { } retry)
                continue;
            if (rest is [.., var open] && (retry - open.Wait).Duration() <= TimeSpan.FromSeconds(1) + (open.Wait / 4))
                rest[^1] = open with { Last = outcome.Number, Wait = retry > open.Wait ? retry : open.Wait };
            else
                rest.Add(new SliceRest(outcome.Number, outcome.Number, retry));
        }

        if (next <= last)
            rest.Add(new SliceRest(next, last, wait));
        return rest;
    }

    /// <summary>No outcome: it was ended from outside, or has to wait for something; it is as if it had not been run.</summary>
    private async Task<(ItemOutcome? Outcome, AgentOutcome.Held? Held)> RunItemAsync(
        TenantId tenant, LanePlan plan, BatchItem item, SliceLease lease, ItemAnswer answer, HeldClaim claim, CancellationToken ended)
    {
        var agentId = item.AgentId ?? plan.AgentId!;
        if (lease.Lost >= MostLost && lease.First == lease.Last)
        {
            return (Failed(item, new AgentOutcome.Failed(
                ErrorClass.Internal, $"The process running the item stopped {lease.Lost} times.", null, agentId), null), null);
        }

        answer.Begin();
        try
        {
            var chain = claim.Agents[agentId];
            var work = new AgentWork(
                BatchItem.IdOf(plan.BatchId, item.Number), item.Attempt + 1, agentId, item.Description, item.Input, item.Timeout)
            {
                Waits = reason => claim.WaitingFor = reason,
            };
            return await CallAsync(tenant, chain, work, answer, claim, ended) switch
            {
                AgentOutcome.Answered(var agent, var reason) => (new ItemOutcome(
                    item.Number, "completed", answer.Take(), agent, reason, null, answer.Used, null), null),
                AgentOutcome.Held held => (null, held),
                AgentOutcome.Failed failed => (Failed(item, failed, answer.Used), null),
                _ => throw new UnreachableException(),
            };
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return (null, null);
        }
        catch (NpgsqlException e) when (DbFault.IsAway(e))
        {
            // It could not be begun; what its neighbours were answered is kept.
            return (null, null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever it is, it is this item's trouble and none of its neighbours'.
            LogFault(logger, e, plan.BatchId, item.Number);
            return (Failed(item, new AgentOutcome.Failed(
                ErrorClass.Internal, "The attempt failed with an internal error, which is logged.", null, agentId), answer.Used), null);
        }
    }

    /// <summary>A short wait is waited here.</summary>
    private async Task<AgentOutcome> CallAsync(
        TenantId tenant, AgentChain chain, AgentWork work, ItemAnswer answer, HeldClaim claim,
        CancellationToken ended)
    {
        var waited = TimeSpan.Zero;
        while (true)
        {
            answer.Reset();
            var outcome = await agents.RunAsync(tenant, chain, work, answer, ended);
            if (outcome is not AgentOutcome.Held held || (waited += held.Wait) > LongestWaitInLane)
                return outcome;
            claim.WaitingFor = held.Reason;
            await Task.Delay(held.Wait, time, ended);
            claim.WaitingFor = null;
        }
    }

    private static ItemOutcome Failed(BatchItem item, AgentOutcome.Failed failed, AgentUsage? used)
    {
        var delay = RetryRules.Delay(failed.Class, failed.RetryAfter, item.FailedAttempts, item.MaxAttempts, Random.Shared);
        var error = new TaskError(failed.Class.ToApiName(), failed.Message, failed.Agent, item.Attempt + 1);
        return new ItemOutcome(
            item.Number, delay is null ? "failed" : "pending", null, null, null,
            JsonSerializer.Serialize(error, TaskJson.Default.TaskError), used, delay);
    }

    [LoggerMessage(1, LogLevel.Error, "Batch {BatchId}: item {Number} failed with an unexpected error")]
    private static partial void LogFault(ILogger logger, Exception exception, Guid batchId, int number);
}

/// <param name="Next">The first number of the range that was not read.</param>
internal sealed record ClaimedSlice(SliceLease Lease, IReadOnlyList<BatchItem> Items, int Next);

/// <param name="Held">What the rest of it has to wait for.</param>
internal sealed record SliceRun(SettledSlice Settled, int Ran, TimeSpan Took, long Bytes, AgentOutcome.Held? Held)
{
    public int NextClaimSize(int before) => ClaimSize.Next(before, Ran, Took, Bytes);
}
