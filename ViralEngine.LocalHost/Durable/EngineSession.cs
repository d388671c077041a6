using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.DurableTask.Protobuf;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Storage;

namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// The work of this process under one worker id: which instances it has leased, and where each stands between claim and
/// commit. When its leases are lost, the session is discarded and a new one starts.
/// </summary>
internal sealed class EngineSession : IDisposable
{
    private readonly DurableOptions options;
    private readonly EngineServices services;
    private readonly ConcurrentDictionary<string, LiveInstance> owned = new(StringComparer.Ordinal);
    private readonly GroupRunner<ActivityAnswer, bool> answers;
    private int busy;
    private volatile bool stopping;

    /// <param name="processStop">Asks the activities to end.</param>
    public EngineSession(
        long workerId, DurableOptions options, EngineServices services, ILogger logger, CancellationToken processStop)
    {
        WorkerId = workerId;
        this.options = options;
        this.services = services;
        Logger = logger;
        answers = new(_ => null, (group, ct) => services.Activities.AnswerAsync(WorkerId, group, ct));
        Activities = new(
            options.MaxConcurrentActivities,
            services.Code,
            Answer,
            services.Wakeups.Look,
            logger,
            processStop);
    }

    public long WorkerId { get; }

    public ILogger Logger { get; }

    public ActivityPool Activities { get; }

    /// <summary>Instances whose next step can be taken.</summary>
    public Channel<LiveInstance> Ready { get; } = Channel.CreateUnbounded<LiveInstance>();

    /// <summary>Instances whose inbox or history has to be read first.</summary>
    public ConcurrentQueue<LiveInstance> ToLoad { get; } = new();

    /// <summary>Steps taken and not yet committed.</summary>
    public Channel<StepCommit> Taken { get; } = Channel.CreateUnbounded<StepCommit>(new() { SingleReader = true });

    /// <summary>Set when there is work again while signs of life are given seldom.</summary>
    public Signal WorkAgain { get; } = new();

    /// <summary>Whether signs of life are given seldom, as there is nothing to lose.</summary>
    public bool BeatsSeldom { get; set; }

    /// <summary>Instances that this process can take on now.</summary>
    public int FreeInstances =>
        stopping ? 0 : Math.Max(0, options.MaxConcurrentOrchestrations - Volatile.Read(ref busy));

    public bool IsQuiet => Volatile.Read(ref busy) == 0 && Activities.Running == 0;

    /// <summary>Makes room for an instance that is about to be stored as leased by this session.</summary>
    public bool TryReserve()
    {
        if (stopping) return false;
        if (Enter() <= options.MaxConcurrentOrchestrations) return true;
        Interlocked.Decrement(ref busy);
        return false;
    }

    public void Unreserve() => Interlocked.Decrement(ref busy);

    /// <summary>
    /// Begins an instance that has been stored as leased by this session, in the room reserved for it.
    /// </summary>
    public void Adopt(OrchestrationStart start)
    {
        var instance = new LiveInstance(start) { IsPending = true, Busy = true };
        if (owned.TryAdd(instance.Id, instance))
        {
            Ready.Writer.TryWrite(instance);
            return;
        }

        // The instance it follows has been committed and not settled yet: it comes back as a claim.
        Unreserve();
        Nudge(instance.Id);
    }

    /// <summary>Takes in what has been claimed.</summary>
    public void Take(Claim claim)
    {
        foreach (var claimed in claim.Instances) Take(claimed);
        foreach (var work in claim.Activities)
        {
            TellOfWork();
            Activities.Reserve();
            if (owned.TryGetValue(work.InstanceId, out var instance))
            {
                lock (instance.Gate)
                {
                    if (!instance.Releasing && instance.Start.ExecutionId == work.ExecutionId)
                        instance.LocalActivities++;
                }
            }

            Activities.Start(work);
        }
    }

    /// <summary>Settles what has been committed, and begins what follows from it.</summary>
    public void Settle(StepCommit step, CommittedStep? committed)
    {
        var instance = step.Instance;
        if (committed is not { } stored)
        {
            // The lease or the row is gone: its new holder continues from what is stored.
            Drop(instance);
            foreach (var _ in step.WaitingActivities) Activities.Release();
            foreach (var (_, local) in step.Children) if (local) Unreserve();
            EngineLog.Refused(Logger, step.InstanceId);
            return;
        }

        foreach (var work in step.WaitingActivities) Activities.Start(work);
        if (step.Finished)
        {
            Drop(instance);
            services.Completions.Finished(instance.Id);
            return;
        }

        lock (instance.Gate)
        {
            Advance(instance, step);
            instance.Releasing = false;
            if (instance.Dirty || instance.Arrived.Count > 0 || step.Restarted)
            {
                Schedule(instance);
                return;
            }

            instance.Busy = false;
            Unreserve();
            if (stored.Owned || instance.ClaimNo != step.ClaimNo) return;
            owned.TryRemove(new(instance.Id, instance));
        }
    }

    /// <summary>Ends an instance in memory that could not be settled.</summary>
    public void Drop(LiveInstance instance)
    {
        bool claimedAgain;
        lock (instance.Gate)
        {
            owned.TryRemove(new(instance.Id, instance));
            claimedAgain = instance.Dirty;
        }

        Unreserve();
        if (claimedAgain) Nudge(instance.Id);
    }

    /// <summary>
    /// Takes on nothing more. Activities go on until they end or the process does, as under the Functions host: they
    /// may be run again elsewhere, and what they hold themselves has leases of its own.
    /// </summary>
    public void TakeNothingMore() => stopping = true;

    public void Dispose() => WorkAgain.Dispose();

    private int Enter()
    {
        TellOfWork();
        return Interlocked.Increment(ref busy);
    }

    private void TellOfWork()
    {
        if (BeatsSeldom) WorkAgain.Set();
    }

    // Requests another look at the instance, by any process.
    private void Nudge(string instanceId) => _ = services.Messages.SendAsync(instanceId, null);

    private static void Advance(LiveInstance instance, StepCommit step)
    {
        instance.Seq = step.SeqAfter;
        instance.IsSuspended = step.Suspended && !step.Restarted;
        instance.IsPending &= step.Outcome.Events.Count == 0;
        if (step.Restarted)
        {
            instance.Start = step.After;
            instance.History = [.. step.Outcome.Carried];
            instance.LocalActivities = 0;
        }
        else
        {
            (instance.History ??= []).AddRange(step.Outcome.Events);
        }
    }

    private void Take(ClaimedInstance claimed)
    {
        while (true)
        {
            var instance = owned.GetOrAdd(claimed.Start.InstanceId, _ => new(claimed.Start)
            {
                Seq = claimed.Seq,
            });
            lock (instance.Gate)
            {
                // It may have been settled and put away since it was looked up.
                if (!owned.TryGetValue(instance.Id, out var still) || still != instance) continue;
                instance.ClaimNo = claimed.ClaimNo;
                instance.Dirty = true;
                if (instance.Busy) return;
                instance.IsSuspended = claimed.Status == (short)OrchestrationStatus.Suspended;
                instance.IsPending = claimed is { Seq: 0, Status: (short)OrchestrationStatus.Pending };
                instance.Busy = true;
                Enter();
                Schedule(instance);
                return;
            }
        }
    }

    private void Answer(ActivityAnswer answer)
    {
        if (owned.TryGetValue(answer.Work.InstanceId, out var instance))
        {
            lock (instance.Gate)
            {
                // An instance with activities of its own running here is never put away: LocalActivities holds it.
                if (instance.Start.ExecutionId == answer.Work.ExecutionId && instance.LocalActivities > 0)
                {
                    instance.LocalActivities--;
                    instance.Arrived.Add(new(answer.Event, answer.Work.ExecutionId, null));
                    if (instance.Busy) return;
                    instance.Busy = true;
                    Enter();
                    Schedule(instance);
                    return;
                }
            }
        }

        _ = AnswerElsewhereAsync(answer);
    }

    private async Task AnswerElsewhereAsync(ActivityAnswer answer)
    {
        while (true)
        {
            try
            {
                await answers.RunAsync(answer);
                services.Wakeups.WorkLeft();
                return;
            }
            catch (Exception exception) when (DurableDatabase.IsTransient(exception) && !stopping)
            {
                EngineLog.StoreAway(Logger, exception);
                await Task.Delay(250);
            }
        }
    }

    // Under the instance's gate.
    private void Schedule(LiveInstance instance)
    {
        if (instance.Dirty || instance is { History: null, Seq: > 0 })
        {
            instance.Dirty = false;
            ToLoad.Enqueue(instance);
            services.Wakeups.Look();
        }
        else
        {
            Ready.Writer.TryWrite(instance);
        }
    }
}
