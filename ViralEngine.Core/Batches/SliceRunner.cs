using System.Diagnostics;
using System.Text.Json;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Core.Batches;

/// <summary>Runs the items of a claimed slice one after the other, for a bounded time.</summary>
public sealed class SliceRunner(AgentRunner agents, TimeProvider time)
{
    /// <summary>An item over which so many workers died is taken to be what kills them.</summary>
    private const int MostLost = 10;

    private const long MostBytes = 4 * 1024 * 1024;

    /// <summary>A slice that turns out slower than its lane thought gives the rest to other lanes.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(500);

    /// <summary>Quick agents answer without ever waiting: then others are let in this often.</summary>
    private static readonly TimeSpan LetInEvery = TimeSpan.FromMilliseconds(2);

    private readonly Dictionary<string, IReadOnlyList<AgentDefinition>> chains = [];
    private readonly AnswerText answer = new();

    /// <returns>What came of those that were run; the others go back.</returns>
    internal async Task<SliceRun> RunAsync(TenantId tenant, LanePlan plan, ClaimedSlice slice, CancellationToken ended)
    {
        var started = time.GetTimestamp();
        var lastLetIn = started;
        var outcomes = new List<ItemOutcome>(slice.Items.Count);
        var bytes = 0L;
        foreach (var item in slice.Items)
        {
            if (ended.IsCancellationRequested)
                break;
            if (outcomes.Count > 0 && (bytes > MostBytes || time.GetElapsedTime(started) > Longest))
                break;
            if (await RunItemAsync(tenant, plan, item, slice.Lease, ended) is not { } outcome)
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
            new SettledSlice(slice.Lease, outcomes, Rest(outcomes, next, slice.Lease.Last)),
            outcomes.Count,
            time.GetElapsedTime(started),
            bytes);
    }

    /// <summary>
    /// What is left of the slice: the items that were not run, at once, and those that are tried again, each not before its time.
    /// Neighbours that wait about as long share a range; what lies between them is settled and does not count.
    /// </summary>
    internal static List<SliceRest> Rest(IReadOnlyList<ItemOutcome> outcomes, int next, int last)
    {
        var rest = new List<SliceRest>();
        foreach (var outcome in outcomes)
        {
            if (outcome.RetryAfter is not { } wait)
                continue;
            if (rest is [.., var open] && (wait - open.Wait).Duration() <= TimeSpan.FromSeconds(1) + (open.Wait / 4))
                rest[^1] = open with { Last = outcome.Number, Wait = wait > open.Wait ? wait : open.Wait };
            else
                rest.Add(new SliceRest(outcome.Number, outcome.Number, wait));
        }

        if (next <= last)
            rest.Add(new SliceRest(next, last, TimeSpan.Zero));
        return rest;
    }

    /// <summary>Null: it was ended from outside and is as if it had not been run.</summary>
    private async Task<ItemOutcome?> RunItemAsync(
        TenantId tenant, LanePlan plan, BatchItem item, SliceLease lease, CancellationToken ended)
    {
        var agentId = item.AgentId ?? plan.AgentId!;
        if (lease.Lost >= MostLost && lease.First == lease.Last)
        {
            return Failed(item, new AgentOutcome.Failed(
                ErrorClass.Internal, $"The process that ran the item died {lease.Lost} times over it.", null, agentId));
        }

        answer.Reset();
        try
        {
            if (!chains.TryGetValue(agentId, out var chain))
                chains[agentId] = chain = await agents.LoadAsync(tenant, agentId, ended);
            var work = new AgentWork(
                BatchItem.IdOf(plan.BatchId, item.Number), item.Attempt + 1, agentId, item.Description, item.Input, item.Timeout);
            return await agents.RunAsync(tenant, chain, work, answer, ended) switch
            {
                AgentOutcome.Answered(var agent, var usage) => new ItemOutcome(
                    item.Number, "completed", answer.ToString(), agent, null, usage?.InputTokens, usage?.OutputTokens,
                    usage?.CostUsd, null),
                AgentOutcome.Failed failed => Failed(item, failed),
                _ => throw new UnreachableException(),
            };
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return null;
        }
    }

    private static ItemOutcome Failed(BatchItem item, AgentOutcome.Failed failed)
    {
        var delay = RetryRules.Delay(failed.Class, failed.RetryAfter, item.FailedAttempts, item.MaxAttempts, Random.Shared);
        var error = new TaskError(failed.Class.ToApiName(), failed.Message, failed.Agent, item.Attempt + 1);
        return new ItemOutcome(
            item.Number, delay is null ? "failed" : "pending", null, null,
            JsonSerializer.Serialize(error, TaskJson.Default.TaskError), null, null, null, delay);
    }
}

/// <param name="Next">The first number of the range that was not read.</param>
internal sealed record ClaimedSlice(SliceLease Lease, IReadOnlyList<BatchItem> Items, int Next);

internal sealed record SliceRun(SettledSlice Settled, int Ran, TimeSpan Took, long Bytes)
{
    public int NextClaimSize(int before) => ClaimSize.Next(before, Ran, Took, Bytes);
}
