using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Runs the items of a claimed slice one after the other, for a bounded time. Many slices are run at a time, each by a
/// call of its own.
/// </summary>
public sealed partial class SliceRunner(
    AgentRunner agents, AnswerMemory memory, TimeProvider time, Random random, ILogger<SliceRunner> logger)
{
    /// <summary>After this many workers died over an item, the item is assumed to be the cause.</summary>
    private const int MaxLost = 10;

    private const long MaxBytes = 4 * 1024 * 1024;

    /// <summary>A slice that takes longer releases the rest for other places.</summary>
    private static readonly TimeSpan MaxTime = TimeSpan.FromMilliseconds(500);

    /// <summary>Quick agents never wait, so yield this often.</summary>
    private static readonly TimeSpan LetInEvery = TimeSpan.FromMilliseconds(2);

    /// <summary>Longer waits are spent in the queue, not in a lane.</summary>
    private static readonly TimeSpan MaxWaitInLane = TimeSpan.FromSeconds(2);

    /// <summary>How soon a running lane sees changes of an agent.</summary>
    private static readonly TimeSpan AgentsAreKept = TimeSpan.FromSeconds(5);

    private Dictionary<string, AgentChain> chains = [];
    private long loadedAt;

    /// <summary>Loads the agents that the slices need, by id. Not thread-safe.</summary>
    internal async Task<IReadOnlyDictionary<string, AgentChain>> LoadAgentsAsync(
        TenantId tenant, LanePlan plan, IReadOnlyList<ClaimedSlice> slices)
    {
        var fresh = time.GetElapsedTime(loadedAt) < AgentsAreKept;
        var needed = slices.SelectMany(slice => slice.Items).Select(item => item.AgentId ?? plan.AgentId!).Distinct()
            .ToList();
        if (fresh && needed.All(chains.ContainsKey))
            return chains;

        // A new dictionary, because running slices use the previous one.
        var loaded = fresh ? new Dictionary<string, AgentChain>(chains) : [];
        foreach (var agentId in needed.Where(agentId => !loaded.ContainsKey(agentId)))
            loaded[agentId] = await agents.LoadAsync(tenant, agentId, CancellationToken.None);
        if (!fresh)
            loadedAt = time.GetTimestamp();
        return chains = loaded;
    }

    /// <returns>The outcomes of the items that ran; the others are released.</returns>
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
            if (outcomes.Count > 0 && (bytes > MaxBytes || time.GetElapsedTime(started) > MaxTime))
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
            new SettledSlice(
                slice.Lease, outcomes, Rest(outcomes, next, slice.Lease.Last, held?.Wait ?? TimeSpan.Zero)),
            outcomes.Count,
            time.GetElapsedTime(started),
            bytes,
            held);
    }

    /// <summary>
    /// The rest of a slice: items that did not run, and items to retry, with their waits. Neighbours with similar waits
    /// share a range; settled items between them do not matter.
    /// </summary>
    internal static List<SliceRest> Rest(
        IReadOnlyList<ItemOutcome> outcomes, int next, int last, TimeSpan wait = default)
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

    /// <summary>Without an outcome, the item was ended from outside or must wait, as if it had not run.</summary>
    private async Task<(ItemOutcome? Outcome, AgentOutcome.Held? Held)> RunItemAsync(
        TenantId tenant, LanePlan plan, BatchItem item, SliceLease lease, ItemAnswer answer, HeldClaim claim,
        CancellationToken ended)
    {
        var agentId = item.AgentId ?? plan.AgentId!;
        if (lease.Lost >= MaxLost && lease.First == lease.Last)
        {
            return (Failed(item, new AgentOutcome.Failed(
                ErrorClass.Internal, $"The process running the item stopped {lease.Lost} times.", null,
                agentId), null), null);
        }

        answer.Begin();
        try
        {
            var chain = claim.Agents[agentId];
            var work = new AgentWork(
                BatchItem.IdOf(plan.BatchId, item.Number), item.Attempt + 1, agentId, item.Description, item.Input,
                item.Timeout)
            {
                Waits = reason => claim.WaitingFor = reason,
                Starting = claim.Since.ConfirmAsync,
            };
            var (called, took) = await CallAsync(tenant, chain, work, answer, claim, ended);
            return called switch
            {
                AgentOutcome.Answered(var agent, var reason, var firstToken) => (new ItemOutcome(
                    item.Number, "completed", answer.Take(), agent, reason, null, answer.Used, null, took, firstToken),
                    null),
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
            // The item could not be started; its neighbours' answers are kept.
            return (null, null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Any error fails only this item, not its neighbours.
            LogFault(logger, e, plan.BatchId, item.Number);
            return (Failed(item, new AgentOutcome.Failed(
                ErrorClass.Internal, "The attempt failed with an internal error, which is logged.", null,
                agentId), answer.Used), null);
        }
    }

    /// <summary>Makes the call, waiting in place for short waits.</summary>
    /// <returns>What came of it, and how long the call took, without those waits.</returns>
    private async Task<(AgentOutcome Outcome, TimeSpan Took)> CallAsync(
        TenantId tenant, AgentChain chain, AgentWork work, ItemAnswer answer, HeldClaim claim,
        CancellationToken ended)
    {
        var waited = TimeSpan.Zero;
        while (true)
        {
            answer.Reset();
            var began = time.GetTimestamp();
            var outcome = await agents.RunAsync(tenant, chain, work, answer, ended);
            if (outcome is not AgentOutcome.Held held || (waited += held.Wait) > MaxWaitInLane)
                return (outcome, time.GetElapsedTime(began));
            claim.WaitingFor = held.Reason;
            await Task.Delay(held.Wait, time, ended);
            claim.WaitingFor = null;
        }
    }

    private ItemOutcome Failed(BatchItem item, AgentOutcome.Failed failed, AgentUsage? used)
    {
        var delay = RetryRules.Delay(failed.Class, failed.RetryAfter, item.FailedAttempts, item.MaxAttempts, random);
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

/// <param name="Held">What the rest must wait for.</param>
internal sealed record SliceRun(SettledSlice Settled, int Ran, TimeSpan Took, long Bytes, AgentOutcome.Held? Held)
{
    public int NextClaimSize(int before) => ClaimSize.Next(before, Ran, Took, Bytes);
}
