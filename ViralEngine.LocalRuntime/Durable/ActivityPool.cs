using System.Diagnostics;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalRuntime.Durable;

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
    private async Task<HistoryEvent?> AnswerAsync(ActivityWork work)
    {
        using var span = DurableTracing.Start("activity", work.Name, work.InstanceId, work.TraceParent);
        try
        {
            if (!code.HasActivity(work.Name))
                throw new InvalidOperationException($"No activity function named '{work.Name}' was found in this app.");
            var context = new Context(work);
            var output = await code.RunActivityAsync(work.Name, context, work.Input, stopping);
            return new() { Kind = EventKind.TaskCompleted, Id = work.TaskId, Data = output };
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception exception)
        {
            // The edge of user code: whatever it throws is the answer.
            LogFailed(logger, exception, work.Name, work.InstanceId, work.TaskId);
            span?.SetStatus(ActivityStatusCode.Error, exception.Message);
            var failure = FailureRecord.From(TaskFailureDetails.FromException(exception));
            return new() { Kind = EventKind.TaskFailed, Id = work.TaskId, Failure = failure };
        }
    }

    [LoggerMessage(LogLevel.Error, "Activity {Name} of {InstanceId} (#{TaskId}) failed.")]
    private static partial void LogFailed(
        ILogger logger,
        Exception exception,
        string name,
        string instanceId,
        int taskId);

    private sealed class Context(ActivityWork work) : TaskActivityContext
    {
        public override TaskName Name { get; } = new(work.Name);

        public override string InstanceId => work.InstanceId;
    }
}
