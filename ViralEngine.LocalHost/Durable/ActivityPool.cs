using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Runs activities, a limited number at a time.</summary>
internal sealed partial class ActivityPool(
    int slots,
    IDurableCode code,
    Action<ActivityAnswer> answered,
    Action slotFreed,
    ILogger logger,
    CancellationToken stopping)
{
    private int running;

    public int Running => Volatile.Read(ref running);

    /// <summary>
    /// Slots that claims may fill. An eighth is kept for what this process schedules itself, so that a long queue of
    /// one orchestration does not hold up the rest.
    /// </summary>
    public int Claimable => Math.Max(0, slots - (slots >= 8 ? slots / 8 : 0) - Running);

    /// <summary>
    /// Takes a slot for an activity just scheduled. One orchestration gets the first 32 wherever there is room, then
    /// only while half of all slots are free.
    /// </summary>
    public bool TryReserve(int ofThisStep)
    {
        var limit = ofThisStep < 32 ? slots : slots / 2;
        if (Interlocked.Increment(ref running) <= limit && !stopping.IsCancellationRequested) return true;
        Interlocked.Decrement(ref running);
        return false;
    }

    public void Reserve() => Interlocked.Increment(ref running);

    public void Release()
    {
        if (Interlocked.Decrement(ref running) >= slots / 2) slotFreed();
    }

    /// <summary>Runs an activity in a slot that has been reserved.</summary>
    public void Start(ActivityWork work) => ThreadPool.UnsafeQueueUserWorkItem(
        static state => _ = state.Pool.RunAsync(state.Work),
        (Pool: this, Work: work),
        preferLocal: false);

    private async Task RunAsync(ActivityWork work)
    {
        try
        {
            if (stopping.IsCancellationRequested || await AnswerAsync(work) is not { } answer) return;
            answered(new(work, answer));
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Null when the process stops: then the activity is not answered, and runs again elsewhere.</summary>
    private async Task<StoredEvent?> AnswerAsync(ActivityWork work)
    {
        using var span = DurableTracing.Start("activity", work.Name, work.InstanceId, work.TraceParent);
        try
        {
            if (!code.HasActivity(work.Name))
                return Missing(work);
            var result = await code.RunActivityAsync(
                span is null ? work : work with { TraceParent = span.Id }, stopping);
            if (result.Failure is not { } failure)
                return new() { Kind = EventKind.TaskCompleted, Id = work.TaskId, Data = result.Output };
            LogFailed(logger, work.Name, work.InstanceId, work.TaskId, failure.Type, failure.Message);
            span?.SetStatus(ActivityStatusCode.Error, failure.Message);
            return new() { Kind = EventKind.TaskFailed, Id = work.TaskId, Failure = failure };
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static StoredEvent Missing(ActivityWork work) => new()
    {
        Kind = EventKind.TaskFailed,
        Id = work.TaskId,
        Failure = new(
            nameof(InvalidOperationException),
            $"The function '{work.Name}' doesn't exist, is disabled, or is not an activity function.",
            null,
            null),
    };

    [LoggerMessage(LogLevel.Error, "Activity {Name} of {InstanceId} (#{TaskId}) failed: {Type}: {Failure}")]
    private static partial void LogFailed(
        ILogger logger,
        string name,
        string instanceId,
        int taskId,
        string type,
        string failure);
}
